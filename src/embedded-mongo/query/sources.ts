import { toBytes } from '../bytes.js'
import { Slice, type Interrupt } from '../interrupt.js'
import { PAUSE, type Document, type Item } from '../semantics/index.js'
import type { Batch, BatchRequest, BatchSource } from './cursors.js'
import { MAX_BATCH_BYTES } from './cursors.js'
import { cursorKilled, type DocumentReader } from './read-documents.js'

/** Documents read from the store at once; more are asked for until a batch is full. */
const CHUNK = 256

/** Collects bytes until the batch is as large as asked for, or as a reply may be. */
class BatchFiller {
  readonly documents: Buffer[] = []
  private bytes = 0
  private readonly size: number

  constructor (size: number | undefined) {
    this.size = size ?? Infinity
  }

  get wanted (): number {
    return Math.min(this.size - this.documents.length, CHUNK)
  }

  get isFull (): boolean {
    return this.documents.length >= this.size
  }

  /** False if the document did not fit and must come first in the next batch. */
  add (document: Buffer): boolean {
    if (this.documents.length > 0 && this.bytes + document.length > MAX_BATCH_BYTES) return false
    this.documents.push(document)
    this.bytes += document.length
    return true
  }
}

/** The results of a find. */
export class FindSource implements BatchSource {
  readonly isTimed = true
  private readonly reader: DocumentReader
  private readonly project: ((doc: Document) => Document) | undefined
  private pending: Buffer[] = []

  constructor (reader: DocumentReader, project: ((doc: Document) => Document) | undefined) {
    this.reader = reader
    this.project = project
  }

  async next ({ size, interrupt }: BatchRequest): Promise<Batch> {
    const filler = new BatchFiller(size)
    while (!filler.isFull) {
      if (this.pending.length === 0) {
        const documents = await this.reader.next(filler.wanted, interrupt)
        if (documents.length === 0) break
        this.pending = documents.map(document => this.project === undefined ? document.raw : toBytes(this.project(document.doc)))
      }
      let added = 0
      while (added < this.pending.length && filler.add(this.pending[added]!)) added++
      this.pending = this.pending.slice(added)
      if (this.pending.length > 0) break
    }
    return { documents: filler.documents, done: this.pending.length === 0 && this.reader.isDone }
  }

  close (): void {
    this.pending = []
    this.reader.stop()
  }
}

/** Documents that an iterable makes as they are asked for, such as a pipeline's; gives way where that pauses. */
export class IterableSource implements BatchSource {
  readonly isTimed = true
  private readonly iterator: Iterator<Item>
  private readonly slice: Slice
  /** How many are left, if that is known. */
  private left: number
  private pending: Buffer | undefined
  private isClosed = false

  /** @param slice what the iterable takes its pauses from */
  constructor (documents: Iterable<Item>, slice = new Slice()) {
    this.iterator = documents[Symbol.iterator]()
    this.slice = slice
    this.left = Array.isArray(documents) ? documents.length : Infinity
  }

  async next ({ size, interrupt }: BatchRequest): Promise<Batch> {
    const filler = new BatchFiller(size)
    this.slice.restart()
    while (!filler.isFull && !this.isOver) {
      if (this.pending === undefined) {
        const { value, done } = this.iterator.next() as IteratorResult<Item, undefined>
        if (done === true) this.left = 0
        else if (value === PAUSE) await this.giveWay(interrupt)
        else {
          this.left--
          this.pending = toBytes(value)
        }
      } else if (filler.add(this.pending)) {
        this.pending = undefined
        if (this.slice.isOver()) await this.giveWay(interrupt)
      } else break
    }
    return { documents: filler.documents, done: this.isOver }
  }

  close (): void {
    this.iterator.return?.()
    this.pending = undefined
    this.isClosed = true
    this.left = 0
  }

  private get isOver (): boolean {
    return this.left <= 0 && this.pending === undefined
  }

  private async giveWay (interrupt: Interrupt): Promise<void> {
    await interrupt.yield()
    if (this.isClosed) throw cursorKilled()
    this.slice.restart()
  }
}
