/** Longest preview of a body in the log, in characters. */
export const previewLength = 1024

const secret = /passw|secret|token|authori[sz]ation|cookie|credential|api[-_]?key|^key$|^pin$|^otp$/i

/**
 * The beginning of a JSON value as text for the log, with the values of fields that look
 * secret replaced. Reads no more of the value than it shows, however large it is.
 */
export function previewData (value: unknown, length = previewLength): string {
  let text = ''
  const full = () => text.length >= length

  const write = (part: unknown): void => {
    if (full()) return
    if (typeof part === 'string') text += JSON.stringify(part.slice(0, length))
    else if (typeof part !== 'object' || part === null) text += JSON.stringify(part) ?? 'null'
    else if (Array.isArray(part)) writeList(part)
    else writeObject(part as Record<string, unknown>)
  }

  const writeList = (items: unknown[]) => {
    text += '['
    for (let index = 0; index < items.length && !full(); index++) {
      if (index > 0) text += ','
      write(items[index])
    }
    text += ']'
  }

  const writeObject = (fields: Record<string, unknown>) => {
    text += '{'
    let first = true
    for (const name in fields) {
      if (full()) break
      text += `${first ? '' : ','}${JSON.stringify(name.slice(0, length))}:`
      first = false
      write(secret.test(name) ? '[redacted]' : fields[name])
    }
    text += '}'
  }

  write(value)
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
