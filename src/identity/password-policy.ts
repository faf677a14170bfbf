import { PitwallError } from '../errors.js'

export const passwordLength = { minimum: 12, maximum: 128 } as const

// Words around which people build the passwords that are tried first: of the published
// lists of most used passwords (NCSC 2019, NordPass 2020 to 2024), of keyboards, of the
// calendar and of what Pitwall is about. A password of twelve characters made of them and
// little else is as easy to guess as a short one.
const commonWords = `
password passwort passwd pass pitwall qwertyuiop qwerty qwertz azerty asdfghjkl asdfgh asdf zxcvbnm zxcvbn zxcv yxcvbnm
1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6 1q2w3e4r5t6y 1q2w3e4r 1qaz2wsx3edc4rfv5tgb 1qaz2wsx3edc 1qaz2wsx qazwsxedcrfv qazwsxedc qazwsx zaq12wsx
qweasdzxc qweasd qwe123 abc123 abcd1234 a1b2c3d4 correcthorsebatterystaple abcdefghijklmnopqrstuvwxyz 01234567890123456789 98765432109876543210
administrator admin root user guest login letmein access system server service support backup default changeme change secret private temporary temp test
testing demo sample example hello welcome nothing whatever unknown internet computer laptop windows linux google yahoo gmail facebook twitter instagram
samsung microsoft apple android iphone nokia toyota honda bmw mercedes porsche ferrari lamborghini corvette mustang camaro yamaha harley suzuki kawasaki
telemetry vehicle dashboard racing race driver engine formula
monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december
spring summer autumn winter today tomorrow forever birthday christmas
iloveyou loveyou 4ever love lovely lover loveme baby babygirl babyboy angel princess prince queen king beautiful sweet honey sunshine rainbow butterfly flower rose
mother father mom dad mommy daddy family friend friends sister brother jesus christ god blessed heaven faith hope freedom peace
football baseball basketball soccer hockey golf tennis liverpool arsenal chelsea manchester united barcelona realmadrid juventus milan bayern dortmund
yankees cowboys lakers steelers eagles patriots packers redsox
superman batman spiderman ironman starwars pokemon naruto minecraft fortnite dragonball matrix trustno1 monkey dragon tiger lion eagle wolf bear horse
shadow master killer hunter ranger buster tigger pepper ginger snoopy bailey maggie cookie cheese chocolate banana orange apple cherry purple yellow
green blue red black white silver golden diamond metallica nirvana slipknot eminem music guitar
michael michelle jennifer jessica ashley daniel charlie charles thomas robert matthew joshua jordan andrew nicole jonathan christopher christian william
richard anthony joseph george samantha elizabeth victoria amanda andrea alexander alexandra sandra patricia barbara stephanie maria marina natalia
london paris berlin newyork america american england scotland germany france canada mexico brazil india australia
`.trim().split(/\s+/)

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
  const lower = normal.toLowerCase()
  if (isCommon(lower, people) || isCommon(plainLetters(lower), people)) throw refuse(path, 'is among the first that would be guessed: use more of your own')
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

/** What stands behind `p@ssw0rd`: signs as the letters that they are used for. */
const plainLetters = (text: string) => text.replace(/[@4]/g, 'a').replace(/[$5]/g, 's').replace(/0/g, 'o').replace(/3/g, 'e').replace(/[1!|]/g, 'i').replace(/7/g, 't')

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
