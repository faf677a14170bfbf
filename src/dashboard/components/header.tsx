import { connection, viewer } from '../state/connection.js'
import { theme, toggleTheme } from '../state/theme.js'
import { helpOpen, page, signInOpen, type Page } from '../state/view.js'
import { leave } from '../state/session.js'
import { ConnectionPill } from './connection-pill.js'
import { HelpIcon, LogoMark, MoonIcon, PersonIcon, SunIcon } from './icons.js'

const pages: { key: Page, label: string }[] = [{ key: 'live', label: 'Live' }, { key: 'events', label: 'Events' }]

export function Header () {
  return (
    <header class='header'>
      <a class='logo' href='/' onClick={(event) => open(event, 'live')}><LogoMark /><span>Pitwall</span></a>
      <nav aria-label='Pages'>
        {pages.map(({ key, label }) => (
          <a key={key} href={key === 'live' ? '/' : `/?view=${key}`} aria-current={page.value === key ? 'page' : undefined} onClick={(event) => open(event, key)}>{label}</a>
        ))}
      </nav>
      <ConnectionPill />
      <div class='header-actions'>
        <button type='button' class='icon-button' onClick={toggleTheme} aria-label={theme.value === 'dark' ? 'Use the light theme' : 'Use the dark theme'}>
          {theme.value === 'dark' ? <SunIcon /> : <MoonIcon />}
        </button>
        <button type='button' class='icon-button wide-only' onClick={() => { helpOpen.value = true }} aria-label='Help and keyboard shortcuts'><HelpIcon /></button>
        <Account />
      </div>
    </header>
  )
}

function open (event: MouseEvent, key: Page): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
  event.preventDefault()
  page.value = key
}

function Account () {
  const who = viewer.value
  if (who === undefined || connection.value.phase === 'signed-out') return null
  if (who?.kind === 'user') {
    return (
      <div class='account'>
        <span class='avatar' aria-hidden='true'>{who.name.charAt(0).toUpperCase()}</span>
        <span class='account-name wide-only'>{who.name}</span>
        <button type='button' class='button quiet' onClick={leave}>Sign out</button>
      </div>
    )
  }
  return (
    <button type='button' class='button quiet account-button' onClick={() => { signInOpen.value = true }} aria-label='You are a visitor: sign in'>
      <PersonIcon /><span class='wide-only'>Sign in</span>
    </button>
  )
}
