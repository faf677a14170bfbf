import { chooseVehicle } from '../state/choose.js'
import { focusId } from '../state/focus.js'
import type { FleetRow as Row } from '../state/fleet.js'
import { paused } from '../state/view.js'
import { ConditionIcon, conditionWord } from './condition.js'

/** One vehicle of the list: its condition, what is wrong or how fast and full it is, and when it was heard of. */
export function FleetRow ({ row, digit }: { row: Row, digit: number }) {
  const condition = row.condition.value
  const away = condition === 'offline' || condition === 'never'
  return (
    <li>
      <button
        type='button'
        class='fleet-row'
        data-condition={condition}
        data-stale={row.stale}
        aria-current={focusId.value === row.id ? 'true' : undefined}
        onClick={() => chooseVehicle(row.id)}
      >
        <span class='fleet-digit' aria-hidden='true'>{digit < 10 ? digit : ''}</span>
        <span class='fleet-icon'><ConditionIcon condition={condition} /></span>
        <span class='fleet-name'>{row.name}<span class='sr-only'>, {conditionWord(condition)}, </span></span>
        <span class='fleet-reading'>
          {away || row.reason.value !== ''
            ? <span class='fleet-reason'>{row.reason}</span>
            : <><span class='fleet-speed'>{row.speed}</span><span class='fleet-battery'>{row.battery}</span></>}
        </span>
        <span class='fleet-age'>{away || paused.value ? '' : row.age}</span>
      </button>
    </li>
  )
}
