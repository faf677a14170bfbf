/** A value kept by the server, as the entities provide it. */
interface KeptValue<Value> {
  get (): Promise<Value>
  set (value: Value): Promise<Value>
}

export interface Indicators {
  gear: KeptValue<{ currentGear: string }>
  engineIcon: KeptValue<{ color: string }>
}

/** Gears in the order they are shown. */
export const shownGears = ['N/N', '1', '2', '3', '4', '5'] as const
/** Colours of the engine icon: on and off. */
export const iconColors = ['#ff0000', 'rgb(51, 51, 51)'] as const

const following = (values: readonly string[], value: string): string =>
  values[(values.indexOf(value) + 1) % values.length] as string

/**
 * Rotates the shown gear and toggles the engine icon's colour, each stored; its change
 * feed tells the subscribers.
 * @param interval milliseconds
 * @returns what stops it; resolves when nothing of it is under way
 */
export function rotateIndicators ({ gear, engineIcon }: Indicators, onError: (error: unknown) => void, interval = 5000): () => Promise<void> {
  let underWay: Promise<void> | null = null

  const turn = async () => {
    const [{ currentGear }, { color }] = await Promise.all([gear.get(), engineIcon.get()])
    await Promise.all([
      gear.set({ currentGear: following(shownGears, currentGear) }),
      engineIcon.set({ color: following(iconColors, color) })
    ])
  }

  const timer = setInterval(() => {
    underWay ??= turn().catch(onError).finally(() => { underWay = null })
  }, interval)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await underWay
  }
}
