import type { Static } from 'typebox'
import { PitwallError } from '../../errors.js'
import type { SubscribeMessage } from '../../schemas/messages/pitwall-v1.js'
import type { ReplayRange } from '../../schemas/replay.js'
import type { ChannelRule } from '../channels.js'
import type { Connection } from '../connection.js'
import type { Hub } from '../hub.js'
import type { Past } from './past.js'
import { Replay } from './replay.js'
import { formatReplayCursor, parseReplaySince } from './replay-cursor.js'

type Subscribe = Static<typeof SubscribeMessage>

export const REPLAY = 'replay:'

/** Refuses what is for replays alone on other channels, and what replays have not. @throws VALIDATION_FAILED */
export function checkReplayFields (message: Subscribe): void {
  const isReplay = message.channel.startsWith(REPLAY)
  const foreign = isReplay ? ['maxRate', 'filter', 'sessions'] as const : ['from', 'to', 'speed', 'paused'] as const
  for (const field of foreign) {
    if (message[field] === undefined) continue
    const explanation = isReplay ? 'is not for replays, which leave nothing out' : 'is for channels replay:VEHICLE'
    throw new PitwallError('VALIDATION_FAILED', `${field} ${explanation}`, { errors: [{ path: `/${field}`, message: explanation }] })
  }
}

/**
 * Subscribes to a replay, in place of one of the same vehicle: tells its range, then plays.
 * @throws NOT_FOUND, VALIDATION_FAILED, BAD_CURSOR, LIMIT_EXCEEDED
 */
export async function subscribeReplay (hub: Hub, connection: Connection, rule: ChannelRule, message: Subscribe): Promise<void> {
  const { id, channel, since, from, to, speed = 1, paused = false } = message
  const wanted = since === undefined ? undefined : parseReplaySince(since)
  const replay = place(hub, connection, channel, rule)
  const isCurrent = () => connection.subscriptions.get(channel) === replay
  try {
    const past = await hub.services.openPast(channel.slice(REPLAY.length), { from, to })
    if (!isCurrent()) return
    const recovered = wanted && wanted.ts >= past.from && wanted.ts <= past.to
    const position = recovered ? wanted : { ts: past.from }
    replay.begin(past, position, { speed, paused })
    connection.send({
      type: 'subscribed',
      ...(id !== undefined && { id }),
      channel,
      cursor: formatReplayCursor(position),
      ...(wanted && { recovered: recovered === true }),
      replay: describeRange(past, replay)
    })
  } catch (error) {
    if (isCurrent()) hub.unsubscribe(connection, channel)
    throw error
  }
}

function place (hub: Hub, connection: Connection, channel: string, rule: ChannelRule): Replay {
  const before = connection.subscriptions.get(channel) instanceof Replay ? 1 : 0
  const own = [...connection.subscriptions.values()].filter((subscription) => subscription instanceof Replay).length
  const leave = hub.replays.take(own - before, before)
  const replay = new Replay(connection, channel, rule, {
    onClose: leave,
    onError: (error) => { hub.logger.warn({ err: error, channel }, 'stored samples could not be read for a replay; it will be tried again') }
  })
  try {
    hub.subscribe(replay)
  } catch (error) {
    replay.close()
    throw error
  }
  return replay
}

function describeRange ({ from, to, first, last }: Past, replay: Replay): ReplayRange {
  const { cursor: _cursor, ...state } = replay.describe()
  const orNull = (time: number | null) => time === null ? null : new Date(time).toISOString()
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), first: orNull(first), last: orNull(last), ...state }
}

/** A connection's replay. @throws NOT_FOUND when it has none of that channel */
export function replayOf (connection: Connection, channel: string): Replay {
  const subscription = connection.subscriptions.get(channel)
  if (subscription instanceof Replay) return subscription
  throw new PitwallError('NOT_FOUND', `There is no replay ${JSON.stringify(channel)} on this connection; subscribe first`)
}
