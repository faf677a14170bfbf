import type { DocumentChange } from '../../entities/document-collection.js'
import type { StoredDocument } from '../../entities/public-document.js'
import { PitwallError } from '../../errors.js'
import type { CommandModel, CommandRecord } from '../../models/command.js'
import { newId } from '../../models/new-id.js'
import { waitingStates, type Command, type CommandInput, type CommandReport, type CommandState } from '../../schemas/command.js'
import { showCommand } from './command-document.js'
import { encodeBounded, MAX_WAITING, parseExpiry, predecessors } from './command-rules.js'
import { createTurns } from './turns.js'

export interface CommandStoreOptions {
  model: CommandModel
  /** Milliseconds a command is kept after it has ended at the latest. */
  retention: number
  /** Called after each write of this process. */
  onWrite (change: DocumentChange): void
  now: () => number
}

/** Documents that one sweep ends. */
const SWEEP = 500

const waiting = { $in: [...waitingStates] }

/** Commands in the database. Each step from state to state is one conditional write, whichever node makes it. */
export function createCommandStore ({ model, retention, onWrite, now }: CommandStoreOptions) {
  const { collection } = model
  const inTurn = createTurns()

  const announce = (action: DocumentChange['action'], stored: object): Command => {
    const document = stored as StoredDocument
    onWrite({ action, id: String(document._id), stored: document })
    return showCommand(document)
  }

  const find = async (id: string): Promise<CommandRecord> => {
    const stored = await model.findById(id).lean()
    if (!stored) throw new PitwallError('NOT_FOUND', `There is no command ${JSON.stringify(id)}`)
    return stored
  }

  /** Moves a command on, unless it has ended or is past its time. Null when it could not. */
  const move = async (id: string, state: Exclude<CommandState, 'pending'>, fields: Partial<CommandRecord>): Promise<Command | null> => {
    const time = new Date(now())
    const due = state === 'expired' ? { $lte: time } : { $gt: time }
    const moved = await collection.findOneAndUpdate(
      { _id: id as never, state: { $in: [...predecessors[state]] }, expiresAt: due },
      { $set: { ...fields, state, updatedAt: time } },
      { returnDocument: 'after' })
    return moved && announce('updated', moved)
  }

  /** Why a command could not be moved on. */
  const refuse = (stored: CommandRecord, state: CommandState): PitwallError => {
    const isOver = stored.expiresAt.getTime() <= now() && waitingStates.includes(stored.state as never)
    return new PitwallError('CONFLICT', `The command ${stored._id} is ${isOver ? 'expired' : stored.state}; ${state} cannot follow`)
  }

  return {
    find,

    /**
     * Stores a new command. One vehicle's are counted and stored one after another.
     * @throws VALIDATION_FAILED, LIMIT_EXCEEDED when too many wait
     */
    async create (vehicle: string, { name, params = {}, expiresAt: given }: CommandInput, { kind, id, name: by }: CommandRecord['createdBy']): Promise<Command> {
      const time = now()
      const expiresAt = parseExpiry(given, time)
      const record: CommandRecord = {
        _id: newId(),
        vehicle,
        name,
        params: encodeBounded(params, 'params'),
        state: 'pending',
        expiresAt: new Date(expiresAt),
        createdBy: { kind, id, name: by },
        createdAt: new Date(time),
        updatedAt: new Date(time),
        removeAt: new Date(expiresAt + retention)
      }
      return await inTurn(vehicle, async () => {
        if (await model.countDocuments({ vehicle, state: waiting }) >= MAX_WAITING) {
          throw new PitwallError('LIMIT_EXCEEDED', `${MAX_WAITING} commands wait for ${vehicle} already; cancel some, or wait for their end`)
        }
        await collection.insertOne(record as never)
        return announce('created', record)
      })
    },

    /** Commands that wait for their end, the oldest first. */
    async listWaiting (vehicle: string): Promise<Command[]> {
      const found = await model.find({ vehicle, state: waiting, expiresAt: { $gt: new Date(now()) } }).sort({ createdAt: 1, _id: 1 }).limit(2 * MAX_WAITING).lean()
      return found.map((stored) => showCommand(stored as unknown as StoredDocument))
    },

    /**
     * Marks a command as sent, where it was not yet.
     * @returns the command, or null when there is nothing left to send
     */
    async handOver (id: string): Promise<Command | null> {
      const sent = await move(id, 'sent', { sentAt: new Date(now()) })
      if (sent) return sent
      const known = await model.findOne({ _id: id, state: waiting, expiresAt: { $gt: new Date(now()) } }).lean()
      return known && showCommand(known as unknown as StoredDocument)
    },

    /**
     * What a device reports. The same again changes nothing.
     * @throws CONFLICT naming the state that it cannot follow, VALIDATION_FAILED
     */
    async report (stored: CommandRecord, { state, result }: CommandReport): Promise<Command> {
      const json = result === undefined ? undefined : encodeBounded(result, 'result')
      const time = new Date(now())
      const moved = await move(stored._id, state, {
        ...(state === 'delivered' ? { deliveredAt: time } : { finishedAt: time }),
        ...(json !== undefined && { result: json })
      })
      if (moved) return moved
      const current = await find(stored._id)
      const known = state === 'delivered' ? current.deliveredAt !== undefined : current.state === state && current.result === json
      if (!known) throw refuse(current, state)
      return showCommand(current as unknown as StoredDocument)
    },

    /** @throws NOT_FOUND, CONFLICT once it was sent */
    async cancel (id: string): Promise<Command> {
      const cancelled = await move(id, 'cancelled', { finishedAt: new Date(now()) })
      if (cancelled) return cancelled
      throw refuse(await find(id), 'cancelled')
    },

    /** Ends what is past its time. @returns when the next one is due, epoch milliseconds; undefined when none waits */
    async expire (): Promise<number | undefined> {
      const time = new Date(now())
      const due = await model.find({ state: waiting, expiresAt: { $lte: time } }, { _id: 1 }).sort({ expiresAt: 1 }).limit(SWEEP).lean()
      for (const { _id } of due) await move(_id, 'expired', { finishedAt: time })
      const next = await model.findOne({ state: waiting }, { expiresAt: 1 }).sort({ expiresAt: 1 }).lean()
      return next?.expiresAt.getTime()
    },

    /** Removes all commands of a vehicle; who waits for one of them hears that it was cancelled. */
    async removeOf (vehicle: string): Promise<void> {
      const finishedAt = new Date(now())
      for (const { _id } of await model.find({ vehicle, state: waiting }, { _id: 1 }).lean()) {
        const ended = await collection.findOneAndUpdate({ _id: _id as never, state: waiting }, { $set: { state: 'cancelled', finishedAt, updatedAt: finishedAt } }, { returnDocument: 'after' })
        if (ended) announce('updated', ended)
      }
      await model.deleteMany({ vehicle })
    },

    /** Removes one that was stored for a vehicle which is gone. */
    async remove (id: string): Promise<void> {
      await model.deleteOne({ _id: id })
    }
  }
}

export type CommandStore = ReturnType<typeof createCommandStore>
