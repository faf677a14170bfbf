import type { Handler } from './define-message.js'
import { findHandler } from './every-client.js'

/** Clients that offered only their key: what every client may send, and nothing to subscribe to. */
export const handlePlain: Handler = (hub, connection, message, bytes) =>
  findHandler(message)(hub, connection, message, bytes)
