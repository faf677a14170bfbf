import { sample, sampleEvent } from './documented-message.js'

/** Data of one message of a channel, and the full name where the channel is one of many. */
export interface ChannelExample { channel?: string, data: unknown }

const times = { createdAt: sample.time, updatedAt: sample.time }

/** By the channel's name in the channel table. */
export const channelExamples: Readonly<Record<string, ChannelExample>> = {
  events: { data: { action: 'created', id: sampleEvent.id, document: sampleEvent } },
  devices: { data: { action: 'updated', id: 'gps-7', document: { id: 'gps-7', name: 'GPS of car 7', type: 'gps', vehicle: 'car-7', ...times } } },
  vehicles: { data: { action: 'created', id: 'car-7', document: { id: 'car-7', name: 'car-7', simulated: false, ...times } } },
  gear: { data: { currentGear: '4' } },
  engineIconColor: { data: { color: '#ff0000' } },
  status: { data: { vehicle: 'car-7', ts: sample.time, speed: 142, gear: '4' } },
  'vehicle:': { channel: 'vehicle:car-7', data: { ts: sample.time, sentAt: sample.time, values: { speed: 142, motorRPM: 6820, gear: '4' } } },
  'replay:': { channel: 'replay:car-7', data: { ts: sample.time, values: { speed: 142, motorRPM: 6820, gear: '4' } } },
  broadcast: { data: { type: 'flag', message: 'yellow', data: { sector: 2 }, from: sample.session, ts: sample.time } },
  activity: { data: { id: '3f0c2a9e-6f0b-4a57-9a53-0f3f5b7f1c11', type: 'pageview', user: 'ann', page: '/garage', ts: sample.time, ...times } },
  analytics: { data: { active: 3, pageviews: 120, visitors: 14 } },
  alerts: {
    data: {
      action: 'created',
      id: '6920a1b2c3d4e5f607182931',
      document: { id: '6920a1b2c3d4e5f607182931', vehicle: 'car-7', rule: 'motorTemperature-critical', name: 'motorTemperature above 130 °C for 5 s', signal: 'motorTemperature', severity: 'critical', state: 'open', message: 'motorTemperature 131.5 °C, above 130 °C for 5 s', value: 131.5, peak: 131.5, openedAt: sample.time, ...times }
    }
  },
  'commands:': {
    channel: 'commands:car-7',
    data: {
      action: 'created',
      id: sample.command,
      document: { id: sample.command, vehicle: 'car-7', name: 'set-limiter', params: { speed: 80 }, state: 'pending', expiresAt: '2026-03-02T12:00:00.000Z', createdBy: { kind: 'key', id: '6920a1b2c3d4e5f607182933', name: 'pit wall' }, ...times }
    }
  },
  connections: {
    data: {
      action: 'created',
      id: sample.session,
      document: { id: sample.session, address: '192.0.2.7', userAgent: 'pit wall', keyName: 'pit wall', protocol: 'pitwall.v1', since: sample.time, in: 0, out: 1, connected: true, ...times }
    }
  },
  'app:': { channel: 'app:strategy', data: { plan: 'B', stops: 2 } }
}
