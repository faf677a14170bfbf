import { Int32, Long } from 'bson'
import { hostname } from 'node:os'
import type { CommandContext } from './commands/context.js'
import type { Document } from './semantics/index.js'

interface Operation { id: number, context: CommandContext, startedAt: number }

/** Commands that serverStatus counts by themselves; all others are `command`. */
const COUNTED: Record<string, OperationKind> = {
  insert: 'insert', update: 'update', delete: 'delete', find: 'query', getMore: 'getmore'
}
type OperationKind = 'insert' | 'query' | 'update' | 'delete' | 'getmore' | 'command'

/** Lists of documents, which may be as large as a message: left out of what is shown. */
const BATCHES = new Set(['documents', 'updates', 'deletes', 'ops'])

/** The commands under way, which may be looked at and stopped, and counts of all there were. */
export class Operations {
  private readonly running = new Map<number, Operation>()
  private readonly counts: Record<OperationKind, number> = { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 }
  private nextId = 1
  private connections = 0
  private connectionsCreated = 0

  /** Notes a command that begins; returns what notes its end. */
  begin (context: CommandContext): () => void {
    const id = this.nextId++
    const kind = COUNTED[context.name] ?? 'command'
    // Writes are counted by statement.
    if (kind === 'query' || kind === 'getmore' || kind === 'command') this.counts[kind]++
    this.running.set(id, { id, context, startedAt: performance.now() })
    return () => { this.running.delete(id) }
  }

  countStatements (command: string, count: number): void {
    const kind = COUNTED[command]
    if (kind !== undefined) this.counts[kind] += count
  }

  connected (): void {
    this.connections++
    this.connectionsCreated++
  }

  disconnected (): void {
    this.connections--
  }

  /** Stops one operation, if it still runs, at the next place where it gives way. */
  stop (id: number): void {
    this.running.get(id)?.context.interrupt.stop()
  }

  /** Stops the operations of a session, but not the one that asks for it. */
  stopSession (name: string, asking: CommandContext): void {
    for (const { context } of this.running.values()) {
      if (context.session?.name === name && context.interrupt !== asking.interrupt) context.interrupt.stop()
    }
  }

  /** What `currentOp` shows. */
  describe (): Document[] {
    const now = performance.now()
    return Array.from(this.running.values(), ({ id, context, startedAt }) => ({
      type: 'op',
      host: hostname(),
      desc: `conn${context.connectionId}`,
      connectionId: Long.fromNumber(context.connectionId),
      active: true,
      currentOpTime: new Date(),
      opid: new Int32(id),
      ...(context.session !== undefined && { lsid: context.session.lsid }),
      secs_running: Long.fromNumber(Math.floor((now - startedAt) / 1000)),
      microsecs_running: Long.fromNumber(Math.round((now - startedAt) * 1000)),
      op: COUNTED[context.name] ?? 'command',
      ns: namespaceOf(context),
      command: Object.fromEntries(Object.entries(context.body).filter(([field]) => !BATCHES.has(field)))
    }))
  }

  /** The fields of `serverStatus` that are kept here. */
  status (): Document {
    return {
      connections: {
        current: new Int32(this.connections), totalCreated: new Int32(this.connectionsCreated), active: new Int32(this.running.size)
      },
      opcounters: Object.fromEntries(Object.entries(this.counts).map(([kind, count]) => [kind, Long.fromNumber(count)]))
    }
  }
}

function namespaceOf ({ name, db, body }: CommandContext): string {
  const coll = name === 'getMore' ? body.collection : body[name]
  return `${db}.${typeof coll === 'string' ? coll : '$cmd'}`
}
