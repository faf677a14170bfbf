import { createDocumentCollection, type DocumentChange, type Page } from '../../entities/document-collection.js'
import type { Identity } from '../../identity/identity.js'
import type { CommandModel } from '../../models/command.js'
import type { VehicleModel } from '../../models/vehicle.js'
import { waitingStates, type Command, type CommandInput, type CommandQuery, type CommandReport } from '../../schemas/command.js'
import { requireVehicle } from '../require-vehicle.js'
import type { VehicleOfDevice } from '../write-permission.js'
import { hiddenFields, unpackCommand, type FlatCommand } from './command-document.js'
import { createCommandStore } from './command-store.js'
import { executingVehicle, requireReader, requireReporter } from './executing-vehicle.js'
import { createExpiryTimer } from './expiry-timer.js'

const DAY = 24 * 60 * 60 * 1000

export interface CommandsOptions {
  models: { commands: CommandModel, vehicles: VehicleModel }
  /** The vehicle a device is in now. */
  vehicleOfDevice: VehicleOfDevice
  /** Days a command is kept after its `expiresAt`. */
  retentionDays: number
  /** Called after each write of this process. */
  onWrite (change: DocumentChange): void
  /** Ending what is past its time failed; it is tried again. */
  onError (error: unknown): void
  now?: () => number
}

/** What vehicles are told to do, from `pending` to its end. */
export function createCommands ({ models, vehicleOfDevice, retentionDays, onWrite, onError, now = Date.now }: CommandsOptions) {
  const store = createCommandStore({ model: models.commands, retention: retentionDays * DAY, onWrite, now })
  const timer = createExpiryTimer({ sweep: store.expire, onError, now })
  const documents = createDocumentCollection<FlatCommand>({
    collection: models.commands.collection,
    noun: 'command',
    filterable: ['vehicle', 'state', 'name'],
    hidden: hiddenFields
  })

  return {
    /**
     * Gives a vehicle a command; resolves once it is stored.
     * @throws NOT_FOUND without such a vehicle, VALIDATION_FAILED, LIMIT_EXCEEDED
     */
    async create (identity: Pick<Identity, 'kind' | 'id' | 'name'>, vehicle: string, input: CommandInput): Promise<Command> {
      await requireVehicle(models.vehicles, vehicle)
      const command = await store.create(vehicle, input, identity)
      timer.note(Date.parse(command.expiresAt))
      try {
        // Removed meanwhile, with its commands, of which this one was not one yet.
        await requireVehicle(models.vehicles, vehicle)
      } catch (error) {
        await store.remove(command.id)
        throw error
      }
      return command
    },

    /** A page of a vehicle's commands, the newest first by default. @throws FORBIDDEN, NOT_FOUND, BAD_CURSOR, BAD_REQUEST */
    async list (identity: Identity, vehicle: string, { state, name, ...page }: CommandQuery): Promise<Page<Command>> {
      await requireReader(identity, vehicle, vehicleOfDevice)
      await requireVehicle(models.vehicles, vehicle)
      const { data, nextCursor } = await documents.list({
        ...page,
        where: { vehicle, name, ...(state !== 'waiting' && { state }) },
        ...(state === 'waiting' && { filter: { state: { $in: [...waitingStates] } } })
      })
      return { data: data.map(unpackCommand), nextCursor }
    },

    /** @throws NOT_FOUND, FORBIDDEN */
    async get (identity: Identity, id: string): Promise<Command> {
      const command = unpackCommand(await documents.get(id))
      await requireReader(identity, command.vehicle, vehicleOfDevice)
      return command
    },

    /** Withdraws a command that no device has been sent. @throws NOT_FOUND, CONFLICT */
    cancel: store.cancel,

    /**
     * Takes a device's report of a command. The same report again changes nothing.
     * @throws NOT_FOUND, FORBIDDEN, VALIDATION_FAILED, CONFLICT naming the state it cannot follow
     */
    async report (identity: Identity, id: string, report: CommandReport): Promise<Command> {
      const stored = await store.find(id)
      await requireReporter(identity, stored.vehicle, vehicleOfDevice)
      return await store.report(stored, report)
    },

    /** The vehicle whose commands an identity executes; undefined for one that only watches. */
    vehicleOf: (identity: Identity): Promise<string | undefined> => executingVehicle(identity, vehicleOfDevice),
    /** A vehicle's commands that have not ended, the oldest first. */
    listWaiting: store.listWaiting,
    /** Marks a command as sent; null when it must not be sent any more. */
    handOver: store.handOver,
    /** Removes all commands of a vehicle that is gone. */
    removeOf: store.removeOf,
    /** Another node has stored a command that ends at a time, in epoch milliseconds. */
    noteExpiry: timer.note,
    /** Ends from now on what is past its time, be it from before the start. */
    start: timer.start,
    close: timer.close
  }
}

export type Commands = ReturnType<typeof createCommands>
