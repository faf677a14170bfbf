import fc, { type Arbitrary } from 'fast-check'

/** Deep in itself, as text: a value so deep could not be written by recursion. */
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** What stands where something else belongs, as JSON, which names and numbers like these survive only as text. */
export const nasty: readonly string[] = [
  'null', 'true', '-1', '0.5', '1e308', '1e999', '-0', '9007199254740993', `${'9'.repeat(400)}`, '""', '" "', '"\\u0000"', '"\\ud800"', '"\\r\\nX-Evil: 1"', '"\\u001b[31m"',
  '"=1+1"', '"../../etc/passwd"', '"%00"', '"constructor"', '"__proto__"', '"toString"', '"c_"', '"c_zzzz"', '"-Infinity"', '"2026-13-45T99:99:99Z"', '"🦊"', `"${'x'.repeat(5000)}"`,
  '[]', '[[]]', '{}', '[null]', '{"$ne":null}', '{"$gt":""}', '{"$where":"sleep(1000)"}', '{"$regex":"(a+)+$"}', '{"$expr":{"$function":{}}}', '{"a.b":1}', '{"":1}', '{"$set":{"role":"admin"}}',
  '{"__proto__":{"scopes":["admin"]}}', '{"constructor":{"prototype":{"admin":true}}}', '{"prototype":1}', '{"\\u005f_proto__":1}', '{"_bsontype":"ObjectId"}', '{"toString":1,"valueOf":null}', '{"then":1}', '{"toJSON":1}', '{"length":1e9}',
  deep(40), deep(2000), `{"a":${deep(20_000)}}`, `[${'1,'.repeat(120_000)}1]`
]

const marker = '\u0001raw\u0001'

export interface Mutation { path: number[], kind: 'replace' | 'add' | 'remove' | 'wrap', value: string, name: string }

const mutation: Arbitrary<Mutation> = fc.record({
  path: fc.array(fc.nat(9), { maxLength: 4 }),
  kind: fc.constantFrom('replace', 'replace', 'add', 'remove', 'wrap'),
  value: fc.constantFrom(...nasty),
  name: fc.constantFrom('__proto__', 'constructor', 'prototype', '$where', '$set', 'a.b', 'id', '_id', '_bsontype', '', 'vehicle', 'ts', 'type', 'scopes', 'role', '\u0000', 'toJSON')
})

/** None as often as some. */
export const mutations: Arbitrary<Mutation[]> = fc.oneof(fc.constant<Mutation[]>([]), fc.array(mutation, { minLength: 1, maxLength: 3 }))

/** JSON of a value with mutations worked into it. */
export function writeMutated (value: unknown, mutations: readonly Mutation[]): string {
  const raw: string[] = []
  const keep = (text: string) => `${marker}${raw.push(text) - 1}${marker}`
  let mutated = value
  for (const { path, kind, value: text, name } of mutations) mutated = change(mutated, path, kind, keep(text), name)
  const json = JSON.stringify(mutated) ?? 'null'
  return json.replace(/"\\u0001raw\\u0001(\d+)\\u0001raw\\u0001"/g, (_, index: string) => raw[Number(index)] ?? 'null')
}

function change (value: unknown, path: number[], kind: Mutation['kind'], text: string, name: string): unknown {
  const [step, ...rest] = path
  if (typeof value !== 'object' || value === null || step === undefined) return applyTo(value, kind, text, name)
  const keys = Object.keys(value)
  const key = keys[step % Math.max(keys.length, 1)]
  if (key === undefined) return applyTo(value, kind, text, name)
  if (Array.isArray(value)) return value.map((item: unknown, index) => String(index) === key ? change(item, rest, kind, text, name) : item)
  const fields = value as Record<string, unknown>
  if (kind === 'remove' && rest.length === 0) return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== key))
  return Object.fromEntries(Object.entries(fields).map(([field, item]) => [field, field === key ? change(item, rest, kind, text, name) : item]))
}

function applyTo (value: unknown, kind: Mutation['kind'], text: string, name: string): unknown {
  if (kind === 'wrap') return [value]
  if (kind === 'add' && typeof value === 'object' && value !== null) {
    // As an own field, which an assignment to __proto__ would not make.
    return Array.isArray(value) ? [...value as unknown[], text] : Object.fromEntries([...Object.entries(value), [name, text]])
  }
  return text
}

/** How the bytes of a body or message are spoilt at last. */
export type Spoiling = 'none' | 'cut' | 'invalid UTF-8' | 'byte order mark' | 'twice' | 'huge' | 'empty'
export const spoiling: Arbitrary<Spoiling> = fc.oneof(
  { weight: 600, arbitrary: fc.constant<Spoiling>('none') },
  { weight: 60, arbitrary: fc.constantFrom<Spoiling>('cut', 'invalid UTF-8', 'byte order mark', 'twice', 'empty') },
  { weight: 2, arbitrary: fc.constant<Spoiling>('huge') }
)

const HUGE = 10 * 1024 * 1024

export function spoil (text: string, how: Spoiling): Buffer {
  if (how === 'cut') return Buffer.from(text.slice(0, text.length >> 1))
  if (how === 'invalid UTF-8') return Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80]), Buffer.from('"}')])
  if (how === 'byte order mark') return Buffer.from(`\uFEFF${text}`)
  if (how === 'twice') return Buffer.from(text + text)
  if (how === 'huge') return Buffer.from(`{"a":["${'x'.repeat(HUGE)}"],"b":${text}}`)
  return Buffer.from(how === 'empty' ? '' : text)
}
