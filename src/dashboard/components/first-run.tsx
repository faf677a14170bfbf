import { useSignal } from '@preact/signals'
import { CheckIcon, CopyIcon } from './icons.js'

/** The line that makes the first vehicle appear. */
const command = (): string => `curl ${location.origin}/api/update-status \\
  -H 'X-API-Key: YOUR_KEY' -H 'Content-Type: application/json' \\
  -d '{"vehicle":"car-1","speed":42,"motorRPM":3200,"batteryPercentage":81,"gear":"2"}'`

/** What a new installation shows: how to send the first status. */
export function FirstRun () {
  const copied = useSignal(false)
  const copy = () => {
    navigator.clipboard.writeText(command()).then(
      () => { copied.value = true },
      () => { copied.value = false })
  }
  return (
    <section class='panel first-run' aria-labelledby='first-title'>
      <h1 id='first-title'>Nothing has reported yet</h1>
      <p>Send a status and the vehicle appears here the moment it is stored. Your first key stands in the terminal Pitwall was started in.</p>
      <pre class='command scroll' tabIndex={0}>{command()}</pre>
      <button type='button' class='button primary' onClick={copy}>
        {copied.value ? <CheckIcon /> : <CopyIcon />}{copied.value ? 'Copied' : 'Copy the command'}
      </button>
      <p class='first-run-more'>Or let simulated vehicles drive: start with <code>SIMULATE=5</code>. All routes are described under <a href='/docs'>/docs</a>.</p>
    </section>
  )
}
