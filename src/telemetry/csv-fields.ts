/** One field of a row. */
export interface CsvField { text: string, quoted: boolean }

/** A row, null for one that is not CSV, and where the next begins. */
export interface TakenRow { fields: CsvField[] | null, next: number }

const QUOTE = 34
const COMMA = 44
const RETURN = 13
const NEWLINE = 10

/**
 * Takes the row (RFC 4180) that begins at a place. After one that is not CSV the next line
 * is the next row.
 * @param final true when no more text comes, so that the row may end with it
 * @returns null when the row is not all there yet
 */
export function takeFields (text: string, start: number, final: boolean): TakenRow | null {
  const fields: CsvField[] = []
  let at = start
  for (;;) {
    const field = text.charCodeAt(at) === QUOTE ? takeQuoted(text, at) : takeBare(text, at)
    if (!field) return final ? { fields: null, next: text.length } : null
    fields.push(field)
    at = field.end
    const sign = text.charCodeAt(at)
    if (sign === COMMA) at++
    else if (sign === NEWLINE) return { fields, next: at + 1 }
    else if (sign === RETURN && text.charCodeAt(at + 1) === NEWLINE) return { fields, next: at + 2 }
    else if (at === text.length || (sign === RETURN && at + 1 === text.length)) return final ? { fields, next: text.length } : null
    else return skipLine(text, at, final)
  }
}

interface Taken extends CsvField { end: number }

function takeQuoted (text: string, start: number): Taken | null {
  let end = start + 1
  let doubled = false
  for (;;) {
    end = text.indexOf('"', end)
    if (end === -1) return null
    if (text.charCodeAt(end + 1) !== QUOTE) break
    doubled = true
    end += 2
  }
  const inner = text.slice(start + 1, end)
  return { text: doubled ? inner.replaceAll('""', '"') : inner, quoted: true, end: end + 1 }
}

function takeBare (text: string, start: number): Taken {
  let end = start
  while (end < text.length) {
    const sign = text.charCodeAt(end)
    if (sign === COMMA || sign === NEWLINE || sign === RETURN || sign === QUOTE) break
    end++
  }
  return { text: text.slice(start, end), quoted: false, end }
}

function skipLine (text: string, at: number, final: boolean): TakenRow | null {
  const end = text.indexOf('\n', at)
  if (end !== -1) return { fields: null, next: end + 1 }
  return final ? { fields: null, next: text.length } : null
}
