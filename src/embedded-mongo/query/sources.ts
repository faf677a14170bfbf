import type { Document } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
import { SLICE_MS } from '../interrupt.js'
import type { Batch, BatchRequest, BatchSource } from './cursors.js'
import { MAX_BATCH_BYTES } from './cursors.js'
import type { DocumentReader } from './read-documents.js'

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
  }
}

/** Documents that an iterable makes as they are asked for, such as a pipeline's. */
export class IterableSource implements BatchSource {
  private readonly iterator: Iterator<Document>
  private pending: Buffer | undefined
  private isOver = false

  constructor (documents: Iterable<Document>) {
    this.iterator = documents[Symbol.iterator]()
    this.advance()
  }

  async next ({ size, interrupt }: BatchRequest): Promise<Batch> {
    const filler = new BatchFiller(size)
    let sliceStart = performance.now()
    while (!filler.isFull && this.pending !== undefined && filler.add(this.pending)) {
      this.advance()
      if (performance.now() - sliceStart > SLICE_MS) {
        await interrupt.yield()
        sliceStart = performance.now()
      }
    }
    return { documents: filler.documents, done: this.isOver }
  }

  close (): void {
    this.iterator.return?.()
    this.pending = undefined
    this.isOver = true
  }

  private advance (): void {
    const { value, done } = this.iterator.next() as IteratorResult<Document, undefined>
    this.isOver = done === true
    this.pending = value === undefined ? undefined : toBytes(value)
  }
}
