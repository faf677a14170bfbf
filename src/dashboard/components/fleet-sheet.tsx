import { counts } from '../state/fleet.js'
import { fleetOpen } from '../state/view.js'
import { FleetPanel } from './fleet-panel.js'
import { AlertIcon, UpIcon } from './icons.js'
import { Modal } from './modal.js'

/** On a small screen the fleet is a sheet, opened from a bar within the thumb's reach. */
export function FleetSheet () {
  const { all, moving, attention } = counts.value
  return (
    <>
      <button type='button' class='sheet-bar' aria-haspopup='dialog' onClick={() => { fleetOpen.value = true }}>
        <b>Fleet</b>
        <span class='sheet-count'>{all === 1 ? '1 vehicle' : `${all} vehicles`}, {moving} moving</span>
        {attention > 0 && <span class='sheet-attention'><AlertIcon />{attention}<span class='sr-only'> need attention</span></span>}
        <UpIcon />
      </button>
      <Modal open={fleetOpen} title='Fleet' class='sheet'><FleetPanel /></Modal>
    </>
  )
}
