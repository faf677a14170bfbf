import type { SingleValue } from '../../entities/single-value.js'
import type { EngineIcon } from '../../schemas/gear.js'
import type { Severity } from './open-alerts.js'

/** Colours of the installation's engine icon by the worst open alert. */
export const lampColors = { critical: '#ff0000', warning: '#ffbf00', none: 'rgb(51, 51, 51)' } as const

export interface AlertLamp {
  /** Shows the worst open alert, unless the colour was set by hand. */
  follow (): void
  /** Follows the alerts again after the colour was set by hand. */
  release (): Promise<EngineIcon>
  /** Resolves when what was to be shown is stored. */
  settle (): Promise<void>
}

export interface AlertLampOptions {
  icon: SingleValue<EngineIcon>
  worst: () => Severity | null
  onError (error: unknown): void
}

const colorOf = (worst: Severity | null): EngineIcon => ({ color: lampColors[worst ?? 'none'] })

/** Who last set the colour is stored beside it: every node follows, and all set the same. */
export function createAlertLamp ({ icon, worst, onError }: AlertLampOptions): AlertLamp {
  let under: Promise<void> = Promise.resolve()

  const show = async () => {
    const severity = worst()
    const wanted = colorOf(severity)
    if ((await icon.get()).color === wanted.color) return
    // Off only what alerts lit: a colour from before they did stays until the first of them.
    await icon.set(wanted, { by: 'alerts', ifBy: severity === null ? ['alerts'] : [null, 'alerts'] })
  }

  return {
    follow () { under = under.then(show).catch(onError) },
    async release () {
      await under
      return await icon.set(colorOf(worst()), { by: 'alerts' })
    },
    settle: () => under
  }
}
