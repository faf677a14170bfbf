import { shortcutsOn, switchShortcuts } from '../state/keyboard.js'
import { helpOpen } from '../state/view.js'
import { Modal } from './modal.js'

const keys: [string[], string][] = [
  [['Space'], 'Pause and go on; collection never stops'],
  [['←', '→'], 'Read one sample earlier or later; with Shift a bigger step'],
  [['R'], 'Replay from what is shown; then Space, ← and → are its own'],
  [['+', '-'], 'Replay faster or slower'],
  [['L'], 'Back to live'],
  [['↑', '↓'], 'Previous or next vehicle'],
  [['1', '…', '9'], 'Vehicle by its place in the list'],
  [['/'], 'Search vehicles'],
  [['?'], 'This help'],
  [['Esc'], 'Close, leave the search']
]

export function HelpDialog () {
  return (
    <Modal open={helpOpen} title='Keyboard'>
      <dl class='keys'>
        {keys.map(([names, meaning]) => (
          <div key={meaning}><dt>{names.map((name) => name === '…' ? '…' : <kbd key={name}>{name}</kbd>)}</dt><dd>{meaning}</dd></div>
        ))}
      </dl>
      <label class='check'><input type='checkbox' checked={shortcutsOn.value} onChange={(event) => switchShortcuts(event.currentTarget.checked)} />Use these keys</label>
      <p class='panel-note'>The address holds vehicle, window and filter: a link shows the same. Add <code>?kiosk</code> for a screen on the wall. The API is described under <a href='/docs'>/docs</a>.</p>
    </Modal>
  )
}
