import type { ChildProcess } from 'node:child_process'

/** Waits until a built server says where it runs. What it writes to its output after that is dropped. */
export async function addressOf ({ stdout }: ChildProcess): Promise<URL> {
  if (!stdout) throw new Error('the output of the server is not piped')
  let output = ''
  for await (const text of stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(text)
    const address = /running at (\S+)\s/.exec(output)?.[1]
    if (address === undefined) continue
    stdout.resume()
    return new URL(address)
  }
  throw new Error(`Pitwall did not start: ${output}`)
}
