import type { Condition } from '../data/assess.js'
import { AlertIcon, MovingIcon, OfflineIcon, StillIcon } from './icons.js'

const words: Record<Condition, string> = {
  critical: 'critical',
  warning: 'needs attention',
  moving: 'moving',
  still: 'standing',
  offline: 'offline',
  never: 'never reported'
}

export const conditionWord = (condition: Condition): string => words[condition]

/** A vehicle's condition as a shape; the word goes beside it. */
export function ConditionIcon ({ condition }: { condition: Condition }) {
  if (condition === 'critical') return <AlertIcon critical />
  if (condition === 'warning') return <AlertIcon />
  if (condition === 'moving') return <MovingIcon />
  return condition === 'still' ? <StillIcon /> : <OfflineIcon />
}
