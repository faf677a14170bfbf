import { PitwallError } from '../errors.js'

export const passwordLength = { minimum: 12, maximum: 128 } as const

// Words around which people build the passwords that are tried first. Long passwords
// made of one of them and little else are as easy to guess as short ones.
const commonWords = [
  'password', 'passwort', 'passw0rd', 'pitwall', 'qwertyuiop', 'qwerty', 'qwertz', 'azerty', 'asdfghjkl', 'zxcvbnm', '1q2w3e4r5t6y', '1qaz2wsx3edc',
  'administrator', 'admin', 'letmein', 'welcome', 'iloveyou', 'changeme', 'secret', 'default', 'test', 'guest', 'login',
  'monkey', 'dragon', 'football', 'baseball', 'superman', 'batman', 'princess', 'sunshine', 'trustno1', 'starwars',
  'correcthorsebatterystaple', 'abcdefghijklmnopqrstuvwxyz', '01234567890123456789', '98765432109876543210'
]

/** Characters that a password must have beyond common words and the person's own names. */
const ownCharacters = 6

/**
 * Refuses passwords that are too short, too long, or guessed first.
 * @param people the person's name and email address
 * @throws VALIDATION_FAILED naming the field and what is wrong
 */
export function checkPassword (password: string, people: { name?: string, email?: string } = {}, path = '/password'): void {
  const normal = password.normalize('NFKC')
  const length = [...normal].length
  if (length < passwordLength.minimum) throw refuse(path, `must have at least ${passwordLength.minimum} characters`)
  if (length > passwordLength.maximum) throw refuse(path, `must have at most ${passwordLength.maximum} characters`)
  if (isCommon(normal.toLowerCase(), people)) throw refuse(path, 'is among the first that would be guessed: use more of your own')
}

function isCommon (password: string, { name = '', email = '' }: { name?: string, email?: string }): boolean {
  if (/^(.{1,6}?)\1+.{0,5}$/su.test(password)) return true
  const [account = '', domain = ''] = email.toLowerCase().split('@')
  const names = [email.toLowerCase(), account, ...domain.split('.'), ...name.toLowerCase().split(/\s+/)].filter((part) => part.length >= 3)
  const words = [...names, ...commonWords].sort((a, b) => b.length - a.length)
  let rest = password
  for (const word of words) rest = rest.replaceAll(word, '')
  rest = withoutSequences(rest)
  return new Set(rest).size < Math.min(ownCharacters, 5) || rest.length < ownCharacters
}

/** Drops the rest of runs such as `1234`, `dcba` and `aaaa`, keeping their first character. */
function withoutSequences (text: string): string {
  let kept = ''
  let step: number | null = null
  for (let index = 0; index < text.length; index++) {
    const difference: number | null = index === 0 ? null : text.charCodeAt(index) - text.charCodeAt(index - 1)
    const runs: boolean = difference !== null && Math.abs(difference) <= 1 && (step === null || difference === step)
    step = runs ? difference : null
    if (!runs) kept += text[index] ?? ''
  }
  return kept
}

const refuse = (path: string, message: string) =>
  new PitwallError('VALIDATION_FAILED', `body${path} ${message}`, { errors: [{ path, message }] })
