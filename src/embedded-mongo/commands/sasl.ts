import type { Handler } from './context.js'

export const saslStart: Handler = ({ authentication, body }) => ({ fields: authentication.start(body) })

export const saslContinue: Handler = ({ authentication, body }) => ({ fields: authentication.continue(body) })

export const logout: Handler = ({ authentication }) => {
  authentication.logOut()
  return { fields: {} }
}
