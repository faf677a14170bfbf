/** What the core needs of a socket. Frames are whole, text and unmasked. */
export interface Transport {
  /** False once closing has begun. */
  readonly open: boolean
  /** True while the peer takes no more; `Outbox.unblock` is due when it does again. */
  readonly blocked: boolean
  write (frame: Buffer): void
  ping (): void
  close (code: number, reason: string): void
  /** Drops the connection without a word. */
  terminate (): void
}
