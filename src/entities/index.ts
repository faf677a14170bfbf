import type { Models } from '../models/index.js'
import type { Device } from '../schemas/device.js'
import type { EngineIcon, Gear } from '../schemas/gear.js'
import type { ChangeFeed } from './change-feed.js'
import { createDocumentCollection, type DocumentCollection } from './document-collection.js'
import { createEvents, type Events } from './events.js'
import { createSingleValue, type SingleValue } from './single-value.js'

/** The things the server keeps that are neither people nor measurements. */
export interface Entities {
  events: Events
  devices: DocumentCollection<Device>
  gear: SingleValue<Gear>
  engineIcon: SingleValue<EngineIcon>
}

/** Makes the services and has the change feed watch what they write. */
export function createEntities (models: Models, feed: ChangeFeed): Entities {
  const events: Events = createEvents({
    collection: models.events.collection,
    onWrite: feed.watch({ channel: 'events', collection: models.events.collection.name, toDocument: (stored) => events.toPublic(stored) })
  })
  const devices: DocumentCollection<Device> = createDocumentCollection<Device>({
    collection: models.devices.collection,
    noun: 'device',
    sortable: ['name'],
    filterable: ['name', 'type', 'vehicle'],
    onWrite: feed.watch({ channel: 'devices', collection: models.devices.collection.name, toDocument: (stored) => devices.toPublic(stored) })
  })
  const gear: SingleValue<Gear> = createSingleValue<Gear>({
    collection: models.gear.collection,
    initial: { currentGear: 'N/N' },
    onWrite: feed.watch({ channel: 'gear', collection: models.gear.collection.name, toData: ({ stored }) => gear.read(stored) })
  })
  const engineIcon: SingleValue<EngineIcon> = createSingleValue<EngineIcon>({
    collection: models.engineIcon.collection,
    initial: { color: 'rgb(51, 51, 51)' },
    onWrite: feed.watch({ channel: 'engineIconColor', collection: models.engineIcon.collection.name, toData: ({ stored }) => engineIcon.read(stored) })
  })
  return { events, devices, gear, engineIcon }
}
