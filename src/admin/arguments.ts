import { parseArgs } from 'node:util'
import { messageOf, usageError } from './admin-error.js'

type Kind = 'string' | 'boolean'
type Values<Options extends Record<string, Kind>> = { [Name in keyof Options]?: Options[Name] extends 'string' ? string : boolean }

/** Reads a command's `--name value` and `--name` options. @throws AdminError with exit code 2 */
export function readOptions<const Options extends Record<string, Kind>> (args: string[], options: Options): Values<Options> {
  try {
    const { values } = parseArgs({ args, options: Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])), strict: true })
    return values as Values<Options>
  } catch (error) {
    throw usageError(messageOf(error).replace(/\. To specify a positional argument.*$/, ''))
  }
}

/** An option that has to be given. @throws AdminError with exit code 2 */
export function requireOption (value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw usageError(`--${name} is missing`)
  return value
}
