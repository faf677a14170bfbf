import type { Engine } from '../engine.js'
import { Interrupt } from '../interrupt.js'
import { buildIndex } from './build-index.js'
import { expireDocuments } from './expire-documents.js'
import { idPrefix, prefixEnd } from './keys.js'

const TTL_INTERVAL_MS = 20_000
const OPLOG_BYTES = 256 * 1024 * 1024
const SWEEP_INTERVAL_MS = 5_000
const RETRIES_INTERVAL_MS = 600_000
/** Keys removed in one commit, so that others get their turn. */
const CHUNK = 2_000

/** What happens by itself: TTL, erasing dropped data, bounding the oplog, forgetting sessions and cursors. */
export class Housekeeping {
  private readonly engine: Engine
  private timers: NodeJS.Timeout[] = []
  private running = new Set<string>()

  constructor (engine: Engine) {
    this.engine = engine
  }

  start (): void {
    const { ttlIntervalMS = TTL_INTERVAL_MS } = this.engine.options
    this.every(ttlIntervalMS, 'ttl', async () => { await expireDocuments(this.engine) })
    this.every(Math.min(ttlIntervalMS, SWEEP_INTERVAL_MS), 'sweep', async () => { await this.sweep() })
    this.every(RETRIES_INTERVAL_MS, 'retries', async () => { await this.forgetRetries() })
    this.launch('sweep', async () => { await this.sweep() })
    this.launch('retries', async () => { await this.forgetRetries() })
    this.launch('building indexes', async () => { await this.finishIndexes() })
  }

  stop (): void {
    for (const timer of this.timers) clearInterval(timer)
    this.timers = []
  }

  private every (milliseconds: number, name: string, task: () => Promise<void>): void {
    const timer = setInterval(() => { this.launch(name, task) }, milliseconds)
    timer.unref()
    this.timers.push(timer)
  }

  private launch (name: string, task: () => Promise<void>): void {
    if (this.running.has(name)) return
    this.running.add(name)
    task().catch((error: unknown) => {
      this.engine.options.onWarning?.(`embedded store: ${name} failed: ${error instanceof Error ? error.message : String(error)}`)
    }).finally(() => { this.running.delete(name) })
  }

  private async sweep (): Promise<void> {
    this.engine.sessions.sweep()
    this.engine.cursors.sweep()
    this.engine.snapshots.sweep()
    await this.eraseDropped()
    await this.trimOplog()
  }

  /** Removes the replies of retryable writes that nobody can repeat any more. */
  private async forgetRetries (): Promise<void> {
    await this.engine.commit(unit => { this.engine.sessions.removeStale(unit.view) })
  }

  /** Goes on with the indexes that were being built when the process ended. */
  private async finishIndexes (): Promise<void> {
    for (const collection of this.engine.catalog.all()) {
      for (const index of collection.indexes) if (!index.ready) await buildIndex(this.engine, collection, index, [index], new Interrupt())
    }
  }

  /** Erases the data of dropped collections and indexes. */
  private async eraseDropped (): Promise<void> {
    const { catalog, view } = this.engine
    for (const { tree, id } of catalog.pendingErasures(view)) {
      const prefix = idPrefix(id)
      for (let more = true; more;) {
        more = await this.engine.commit(unit => {
          const keys: Buffer[] = []
          for (const { key } of unit.view.range(tree, { lower: prefix, upper: prefixEnd(prefix) })) {
            keys.push(Buffer.from(key))
            if (keys.length === CHUNK) break
          }
          for (const key of keys) unit.view.remove(tree, key)
          if (keys.length < CHUNK) catalog.erased(unit.view, id)
          return keys.length === CHUNK
        }, true)
      }
    }
  }

  private async trimOplog (): Promise<void> {
    const { state: { environment }, oplog, options } = this.engine
    const limit = options.oplogBytes ?? OPLOG_BYTES
    for (;;) {
      const excess = environment.treeBytes(environment.trees.oplog) - limit
      if (excess <= 0) break
      // Straight into the tree: what it holds is measured again after it.
      const removed = await this.engine.commit(unit => oplog.trim(unit.view, CHUNK, excess), true)
      if (removed === 0) break
    }
  }
}
