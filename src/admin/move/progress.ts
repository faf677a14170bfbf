import { randomUUID } from 'node:crypto'
import mongoose, { type mongo } from 'mongoose'
import { AdminError } from '../admin-error.js'
import type { CollectionSpec } from './catalogue.js'
import type { LogPosition } from './change-log.js'
import { formatNamespace, type Namespace } from './namespace.js'
import { elementsOf, exactTypes, joinElements, type RawElement } from './raw-document.js'
import type { Target } from './target.js'

const { BSON } = mongoose.mongo
const { Binary } = BSON

/** How far a collection is. */
export interface CollectionProgress {
  spec: CollectionSpec
  state: 'new' | 'copying' | 'copied'
  /** `_id` up to which it is copied. */
  last?: RawElement
  documents: number
}

/** The specification is kept as bytes: field names such as `$jsonSchema` have a meaning to some servers. */
interface CollectionRecord { _id: string, spec: mongo.BSON.Binary, state: CollectionProgress['state'], last?: mongo.BSON.Binary, documents: number }
interface MoveRecord { _id: string, version: number, runner: string, position: LogPosition, verified: boolean }

const MOVE = ' move'
const VERSION = 1

/** How far a move is, kept in the target so that another run goes on where one ended. */
export class Progress {
  readonly collections = new Map<string, CollectionProgress>()
  private readonly target: Target
  private readonly runner = randomUUID()
  private move: MoveRecord

  private constructor (target: Target, move: MoveRecord) {
    this.target = target
    this.move = move
  }

  /** What an earlier run left in the target, now of this run; undefined if there is none. */
  static async load (target: Target): Promise<Progress | undefined> {
    const records = await target.try(() => target.progress.find({}, exactTypes).toArray())
    const move = records.find(({ _id }) => _id === MOVE as unknown) as MoveRecord | undefined
    if (move === undefined) return undefined
    if (Number(move.version) !== VERSION) throw new AdminError('target: it holds the start of a move by another version of Pitwall; go on with that one, or drop the database')
    const progress = new Progress(target, move)
    for (const record of records as unknown as CollectionRecord[]) {
      if (record._id !== MOVE) progress.collections.set(record._id, fromRecord(record))
    }
    await target.try(() => target.progress.updateOne({ _id: MOVE as never }, { $set: { runner: progress.runner } }))
    return progress
  }

  static async begin (target: Target, startAt: mongo.BSON.Timestamp): Promise<Progress> {
    const progress = new Progress(target, { _id: MOVE, version: VERSION, runner: '', position: { startAtOperationTime: startAt }, verified: false })
    progress.move.runner = progress.runner
    await target.try(() => target.progress.insertOne(progress.move as never))
    return progress
  }

  get position (): LogPosition {
    return this.move.position
  }

  /** True once everything has been compared, and nothing has changed since. */
  get isVerified (): boolean {
    return this.move.verified
  }

  of (namespace: Namespace): CollectionProgress | undefined {
    return this.collections.get(formatNamespace(namespace))
  }

  /** Notes up to where changes have been applied. */
  async savePosition (position: LogPosition): Promise<void> {
    await this.saveMove({ position })
  }

  async saveVerified (verified: boolean): Promise<void> {
    if (verified !== this.move.verified) await this.saveMove({ verified })
  }

  async save (collection: CollectionProgress): Promise<void> {
    const id = formatNamespace(collection.spec)
    this.collections.set(id, collection)
    await this.target.try(() => this.target.progress.replaceOne({ _id: id as never }, toRecord(collection), { upsert: true }))
  }

  async forget (namespace: Namespace): Promise<void> {
    const id = formatNamespace(namespace)
    this.collections.delete(id)
    await this.target.try(() => this.target.progress.deleteOne({ _id: id as never }))
  }

  /** Everything is to be copied anew, following changes from a later time. */
  async restart (startAt: mongo.BSON.Timestamp): Promise<void> {
    for (const { spec } of this.collections.values()) await this.save({ spec, state: 'new', documents: 0 })
    await this.saveMove({ position: { startAtOperationTime: startAt }, verified: false })
  }

  /** The move is over: nothing of it stays in the target. */
  async remove (): Promise<void> {
    await this.target.try(() => this.target.progress.drop())
  }

  private async saveMove (change: Partial<MoveRecord>): Promise<void> {
    Object.assign(this.move, change)
    const { matchedCount } = await this.target.try(() => this.target.progress.updateOne({ _id: MOVE as never, runner: this.runner }, { $set: change }))
    if (matchedCount === 0) throw new AdminError('target: another run of this move has taken over')
  }
}

function toRecord ({ spec, state, last, documents }: CollectionProgress): mongo.BSON.Document {
  return { spec: new Binary(BSON.serialize(spec)), state, documents, ...(last !== undefined && { last: new Binary(joinElements(last.bytes)) }) }
}

function fromRecord ({ spec, state, last, documents }: CollectionRecord): CollectionProgress {
  const [element] = last === undefined ? [] : elementsOf(bytesOf(last))
  return { spec: BSON.deserialize(bytesOf(spec), exactTypes) as CollectionSpec, state, documents: Number(documents), ...(element !== undefined && { last: element }) }
}

const bytesOf = (binary: mongo.BSON.Binary): Buffer => Buffer.from(binary.buffer.subarray(0, binary.position))
