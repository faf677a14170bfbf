import { CommandError } from '../semantics/index.js'
import type { ClusterTime } from '../storage/cluster-time.js'
import type { CommittedState } from '../storage/committed-state.js'
import { StoreView } from '../storage/view.js'

/** How long a past moment stays readable after its last use, and how many there may be: each keeps old pages alive. */
const KEPT_MS = 60_000
const MOST = 32

interface Moment { time: ClusterTime, view: StoreView, lastUsed: number }

/** Past states that sessions with snapshot reads hold on to, by cluster time. */
export class SnapshotReads {
  private readonly state: CommittedState
  private readonly moments = new Map<string, Moment>()

  constructor (state: CommittedState) {
    this.state = state
  }

  /** The state at a time that was given out before, or now. @throws CommandError 239 if that state is gone */
  open (wanted: ClusterTime | undefined, now: ClusterTime): { time: ClusterTime, view: StoreView } {
    const time = wanted ?? now
    const name = `${time.seconds}:${time.increment}`
    let moment = this.moments.get(name)
    if (moment === undefined) {
      if (time.seconds !== now.seconds || time.increment !== now.increment) {
        throw tooOld(time)
      }
      moment = { time, view: new StoreView(this.state.environment, { snapshot: this.state.openSnapshot() }), lastUsed: 0 }
      this.moments.set(name, moment)
    }
    moment.lastUsed = Date.now()
    if (this.moments.size > MOST) this.forget(this.moments.keys().next().value!)
    return moment
  }

  sweep (now = Date.now()): void {
    for (const [name, { lastUsed, view }] of this.moments) if (now - Math.max(lastUsed, view.lastRead) > KEPT_MS) this.forget(name)
  }

  close (): void {
    for (const name of [...this.moments.keys()]) this.forget(name)
  }

  private forget (name: string): void {
    const moment = this.moments.get(name)
    moment?.view.end(() => tooOld(moment.time))
    this.moments.delete(name)
  }
}

function tooOld ({ seconds, increment }: ClusterTime): CommandError {
  return new CommandError(239, `Read timestamp Timestamp(${seconds}, ${increment}) is older than the oldest available timestamp.`)
}
