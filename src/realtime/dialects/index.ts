import type { Connection } from '../connection.js'
import type { Handler } from './define-message.js'
import { handlePlain } from './plain.js'
import { handlePitwallV1 } from './pitwall-v1.js'

export type { Incoming } from './define-message.js'

/** The dialect a connection speaks. */
export const handlersOf = (connection: Connection): Handler =>
  connection.protocol === 'plain' ? handlePlain : handlePitwallV1
