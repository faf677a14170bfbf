import type { ComponentChildren } from 'preact'
import { connection, dropped, retryNow } from '../state/connection.js'
import { startSession } from '../state/session.js'
import { clockTick } from '../state/tick.js'
import { AlertIcon, ClockIcon } from './icons.js'
import { isShedding } from './connection-pill.js'

/** Says what is wrong with the connection and what can be done; nothing while all is well. */
export function ConnectionBanner () {
  const { phase, attempt, retryAt, reason } = connection.value
  const now = clockTick.value
  if (phase === 'reconnecting') {
    const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000))
    return (
      <Banner tone='warning' action='Retry now' onAction={retryNow}>
        <b>Connection lost.</b> {seconds > 0 ? `Attempt ${attempt} in ${seconds} s.` : `Attempt ${attempt} is under way.`}
        <span class='banner-aside'> Values below are from before; what was missed is filled in afterwards.</span>
      </Banner>
    )
  }
  if (phase === 'offline') return <Banner tone='warning' action='Try anyway' onAction={retryNow}><b>This device is offline.</b> The page connects again by itself once the network is back.</Banner>
  if (phase === 'error') return <Banner tone='critical' action='Try again' onAction={startSession}><b>The server refused a request.</b> {reason}</Banner>
  if (phase === 'live' && isShedding(now)) return <Banner tone='warning'><b>Values are being left out.</b> This connection is too slow for all of them; {dropped.value} dropped so far, the newest still come.</Banner>
  return null
}

interface BannerProps { tone: 'warning' | 'critical', action?: string, onAction?: () => void, children: ComponentChildren }

function Banner ({ tone, action, onAction, children }: BannerProps) {
  return (
    <div class='banner' data-tone={tone}>
      {tone === 'critical' ? <AlertIcon critical /> : <ClockIcon />}
      <p>{children}</p>
      {action && <button type='button' class='button' onClick={onAction}>{action}</button>}
    </div>
  )
}
