import { test } from 'tap'
import { PitwallError } from '../../src/errors.js'
import { checkPassword } from '../../src/identity/password-policy.js'

const person = { name: 'Ada Lovelace', email: 'ada.king@analytical.example' }

const refused: [string, string][] = [
  ['eleven characters', 'kX7#pq2Lw9z'],
  ['129 characters', 'kX7#pq2Lw9zT'.repeat(11).slice(0, 129)],
  ['a common word with digits', 'Password123456'],
  ['a common word twice', 'LetMeInLetMeIn'],
  ['a row of the keyboard', 'qwertyuiop123'],
  ['one character over and over', 'aaaaaaaaaaaaaaaa'],
  ['one pattern over and over', 'abc1abc1abc1abc1'],
  ['a run of digits', '123456789012'],
  ['a run of letters', 'abcdefghijkl'],
  ['the email address', 'ada.king@analytical.example'],
  ['the name and a year', 'adalovelace1815'],
  ['the product and digits', 'pitwall2026!'],
  ['signs for letters', 'P@ssw0rd!2024'],
  ['a walk over the keyboard', '1qaz2wsx3edc'],
  ['a walk to and fro', 'q1w2e3r4t5y6'],
  ['a team and a year', 'Manchester1999'],
  ['a first name and digits', 'jennifer12345'],
  ['two common words', 'superman&batman'],
  ['months and years', 'November2024!'],
  ['a declaration of love', 'iloveyou4ever!'],
  ['the email\'s domain', 'analytical1815']
]

const accepted: [string, string][] = [
  ['twelve characters', 'kX7#pq2Lw9zT'],
  ['128 characters', 'kX7#pq2Lw9zTbn4Vc8!mR5sD3fG6hJ1q'.repeat(4)],
  ['a sentence', 'seven red kites over the hill'],
  ['a sentence with common words', 'my brother sells green boats'],
  ['words and a number nobody knows', 'dragon-4719-teapot-vex'],
  ['letters of any script', 'пять зелёных чашек'],
  ['twelve characters of which many take two units', '🦊🐢🦉🐝🐙🦀🐠🦋🐌🦎🐞🦔']
]

for (const [what, password] of refused) {
  test(`refuses ${what} as a password`, async (t) => {
    try {
      checkPassword(password, person)
      t.fail(`${password} was accepted`)
    } catch (error) {
      if (!(error instanceof PitwallError)) throw error
      t.equal(error.code, 'VALIDATION_FAILED')
      t.equal(error.errors?.[0]?.path, '/password')
      t.notMatch(error.message, password, 'the message does not repeat it')
    }
  })
}

for (const [what, password] of accepted) {
  test(`accepts ${what} as a password`, async (t) => {
    t.doesNotThrow(() => checkPassword(password, person))
  })
}
