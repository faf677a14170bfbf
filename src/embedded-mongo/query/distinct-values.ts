import { isPlainDocument } from '../arguments.js'

/** The values at a path that `distinct` counts: elements of arrays rather than arrays. */
export function distinctValues (value: unknown, path: string[]): unknown[] {
  const [name, ...rest] = path
  if (name === undefined) return Array.isArray(value) ? value : [value]
  if (Array.isArray(value)) {
    const inside = value.filter(isPlainDocument).flatMap(item => distinctValues(item, path))
    return /^\d+$/.test(name) && value[Number(name)] !== undefined ? [...inside, ...distinctValues(value[Number(name)], rest)] : inside
  }
  if (!isPlainDocument(value) || value[name] === undefined) return []
  return distinctValues(value[name], rest)
}
