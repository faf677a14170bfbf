import { compareByKeys, type Document, type SortOrder } from '../semantics/index.js'
import { Heap } from '../semantics/heap.js'
import type { StoredDocument } from '../storage/records.js'
import type { Scanner, StepLimits } from './scanner.js'

/** Documents read of a branch at a time: few at first, since a limit may be near. */
const FIRST_CHUNK = 4
const LARGEST_CHUNK = 256

interface Branch { scanner: Scanner, documents: StoredDocument[], at: number, keys: unknown[], chunk: number }

/** Gives the documents of several scans, each in the same order, in that order. */
export class BranchMerge {
  private readonly order: SortOrder<Document>
  private readonly heap: Heap<Branch>
  /** Branches whose next document is still to be read. */
  private readonly waiting: Branch[]

  constructor (scanners: Scanner[], order: SortOrder<Document>) {
    this.order = order
    this.heap = new Heap((a, b) => compareByKeys(a.keys, b.keys, order) < 0)
    this.waiting = scanners.map(scanner => ({ scanner, documents: [], at: 0, keys: [], chunk: FIRST_CHUNK }))
  }

  get done (): boolean {
    return this.heap.size === 0 && this.waiting.every(({ scanner }) => scanner.done)
  }

  step ({ documents: wanted, milliseconds }: StepLimits): StoredDocument[] {
    const found: StoredDocument[] = []
    const deadline = performance.now() + milliseconds
    while (found.length < wanted && this.refill(deadline)) {
      const branch = this.heap.top
      if (branch === undefined) break
      found.push(branch.documents[branch.at]!)
      if (++branch.at < branch.documents.length) {
        this.readKeys(branch)
        this.heap.replaceTop(branch)
      } else {
        this.heap.pop()
        this.waiting.push(branch)
      }
    }
    return found
  }

  /** Reads the next documents of the branches that have none; false if time was up before. */
  private refill (deadline: number): boolean {
    for (let branch = this.waiting.at(-1); branch !== undefined; branch = this.waiting.at(-1)) {
      if (!branch.scanner.done) {
        branch.documents = branch.scanner.step({ documents: branch.chunk, milliseconds: Math.max(1, deadline - performance.now()) })
        branch.chunk = Math.min(branch.chunk * 2, LARGEST_CHUNK)
        branch.at = 0
        if (branch.documents.length === 0 && !branch.scanner.done) return false
      }
      this.waiting.pop()
      if (branch.at >= branch.documents.length) continue
      this.readKeys(branch)
      this.heap.push(branch)
    }
    return true
  }

  private readKeys (branch: Branch): void {
    const { doc } = branch.documents[branch.at]!
    branch.keys = this.order.keys.map(key => key(doc))
  }
}
