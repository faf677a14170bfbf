import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import { levels, type Level } from 'pino'

type Factory = NonNullable<FastifyServerOptions['childLoggerFactory']>

/**
 * A request's logger, made when it first has something to write: most requests never do,
 * and making one costs more than all else that Fastify does for them.
 */
class RequestLogger {
  readonly #parent: FastifyBaseLogger
  readonly #bindings: object
  readonly #options: { level?: string }
  #made: FastifyBaseLogger | undefined

  constructor (parent: FastifyBaseLogger, bindings: object, options: { level?: string }) {
    this.#parent = parent
    this.#bindings = bindings
    this.#options = options
  }

  get level (): string { return this.#made?.level ?? this.#options.level ?? this.#parent.level }
  set level (level: string) { this.#own().level = level }
  fatal (...message: unknown[]): void { this.#write('fatal', message) }
  error (...message: unknown[]): void { this.#write('error', message) }
  warn (...message: unknown[]): void { this.#write('warn', message) }
  info (...message: unknown[]): void { this.#write('info', message) }
  debug (...message: unknown[]): void { this.#write('debug', message) }
  trace (...message: unknown[]): void { this.#write('trace', message) }
  silent (): void {}
  child (...given: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger { return this.#own().child(...given) }

  #own (): FastifyBaseLogger {
    this.#made ??= this.#parent.child(this.#bindings, this.#options)
    return this.#made
  }

  #write (level: Level, message: unknown[]): void {
    if ((levels.values[level] ?? 0) < (levels.values[this.level] ?? Infinity)) return
    (this.#own()[level] as (...given: unknown[]) => void)(...message)
  }
}

/** For Fastify's `childLoggerFactory`. */
export const createRequestLogger: Factory = (logger, bindings, options) =>
  new RequestLogger(logger, bindings, options) as unknown as ReturnType<Factory>
