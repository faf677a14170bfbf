import type { ComponentChildren } from 'preact'

function Icon ({ children, filled = false }: { children: ComponentChildren, filled?: boolean }) {
  return (
    <svg class='icon' viewBox='0 0 20 20' width='20' height='20' aria-hidden='true' fill={filled ? 'currentColor' : 'none'} stroke={filled ? 'none' : 'currentColor'} stroke-width='1.75' stroke-linecap='round' stroke-linejoin='round'>
      {children}
    </svg>
  )
}

export const SunIcon = () => <Icon><circle cx='10' cy='10' r='3.5' /><path d='M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1' /></Icon>
export const MoonIcon = () => <Icon><path d='M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z' /></Icon>
export const HelpIcon = () => <Icon><circle cx='10' cy='10' r='7.5' /><path d='M7.8 7.8a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.6' /><path d='M10 14.2v.01' /></Icon>
export const SearchIcon = () => <Icon><circle cx='9' cy='9' r='5.5' /><path d='m13.2 13.2 3.8 3.8' /></Icon>
export const PersonIcon = () => <Icon><circle cx='10' cy='7' r='3.25' /><path d='M3.8 17a6.2 6.2 0 0 1 12.4 0' /></Icon>
export const PauseIcon = () => <Icon filled><rect x='5' y='4' width='3.5' height='12' rx='1' /><rect x='11.5' y='4' width='3.5' height='12' rx='1' /></Icon>
export const PlayIcon = () => <Icon filled><path d='M6 4.2c0-.8.9-1.3 1.6-.8l8 5.8c.5.4.5 1.2 0 1.6l-8 5.8c-.7.5-1.6 0-1.6-.8V4.2Z' /></Icon>
export const BackIcon = () => <Icon><path d='m12.5 4.5-5.5 5.5 5.5 5.5' /></Icon>
export const ForwardIcon = () => <Icon><path d='m7.5 4.5 5.5 5.5-5.5 5.5' /></Icon>
export const CloseIcon = () => <Icon><path d='m5 5 10 10M15 5 5 15' /></Icon>
export const TableIcon = () => <Icon><rect x='3' y='4' width='14' height='12' rx='1.5' /><path d='M3 8h14M3 12h14M8.5 8v8' /></Icon>
export const ChartIcon = () => <Icon><path d='M3 14.5 7.5 9l3.5 3 6-7' /></Icon>
export const CopyIcon = () => <Icon><rect x='7' y='7' width='9.5' height='9.5' rx='2' /><path d='M13 7V5a1.5 1.5 0 0 0-1.5-1.5H5A1.5 1.5 0 0 0 3.5 5v6.5A1.5 1.5 0 0 0 5 13h2' /></Icon>
export const CheckIcon = () => <Icon><path d='m4 10.5 4 4 8-9' /></Icon>
export const ClockIcon = () => <Icon><circle cx='10' cy='10' r='7.25' /><path d='M10 6v4.2l2.8 1.7' /></Icon>
export const UpIcon = () => <Icon><path d='m4.5 12.5 5.5-5.5 5.5 5.5' /></Icon>

/** Something wants attention; filled when it is critical. */
export const AlertIcon = ({ critical = false }: { critical?: boolean }) => critical
  ? <svg class='icon' viewBox='0 0 20 20' width='20' height='20' aria-hidden='true'><path fill='currentColor' d='M8.6 3.2a1.6 1.6 0 0 1 2.8 0l6.7 11.9a1.6 1.6 0 0 1-1.4 2.4H3.3a1.6 1.6 0 0 1-1.4-2.4L8.6 3.2Z' /><path d='M10 7.5v4.2M10 14.4v.01' stroke='var(--panel)' stroke-width='1.9' stroke-linecap='round' /></svg>
  : <Icon><path d='M8.9 3.6a1.3 1.3 0 0 1 2.2 0l6.4 11.5a1.3 1.3 0 0 1-1.1 1.9H3.6a1.3 1.3 0 0 1-1.1-1.9L8.9 3.6Z' /><path d='M10 7.7v4M10 14.3v.01' /></Icon>
export const MovingIcon = () => <Icon filled><rect x='4.5' y='4.5' width='11' height='11' rx='2' /></Icon>
export const StillIcon = () => <Icon><rect x='5.25' y='5.25' width='9.5' height='9.5' rx='1.75' /></Icon>
export const OfflineIcon = () => <Icon><rect x='5.25' y='5.25' width='9.5' height='9.5' rx='1.75' stroke-dasharray='2.2 2.6' /></Icon>

/** The engine's lamp, as on the dashboard of a car. */
export const EngineIcon = () => (
  <svg class='icon' viewBox='0 0 28 20' width='28' height='20' aria-hidden='true' fill='none' stroke='currentColor' stroke-width='1.9' stroke-linecap='round' stroke-linejoin='round'>
    <path d='M9 2h7M12.5 2v3.5M7 5.5h9.5l3 3H22V7h3v9h-3v-2.5h-1.5L18 17H9.5L7 14.5H4.5V9H7V5.5ZM2 8v6' />
  </svg>
)

export const LogoMark = () => (
  <svg class='logo-mark' viewBox='0 0 28 24' width='28' height='24' aria-hidden='true' fill='none' stroke-linecap='round'>
    <path d='M3 20a11 11 0 0 1 22 0' stroke='var(--line-strong)' stroke-width='3.5' />
    <path d='M3 20a11 11 0 0 1 14.8-10.3' stroke='var(--accent)' stroke-width='3.5' />
    <path d='m14 20 5-6.8' stroke='currentColor' stroke-width='2.5' />
    <circle cx='14' cy='20' r='2.5' fill='currentColor' />
  </svg>
)
