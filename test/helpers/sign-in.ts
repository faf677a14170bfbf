import { restClient, type RestReply } from './rest-client.js'
import type { TestApp } from './build-app.js'

/** A password that the policy accepts. */
export const goodPassword = 'seven red kites over'

export interface SignedInReply { accessToken: string, expiresIn: number, refreshToken?: string, user: { id: string, name: string, email: string, role: string } }

/** The value of a cookie that a reply sets; undefined when it does not. */
export function cookieOf (reply: Pick<RestReply, 'headers'>, name: string): string | undefined {
  return reply.headers.getSetCookie().find((line) => line.startsWith(`${name}=`))?.split(';')[0]?.slice(name.length + 1)
}

/** Attributes of a cookie that a reply sets, lower case, in no order: `httponly`, `path=/` and so on. */
export function attributesOf (reply: Pick<RestReply, 'headers'>, name: string): Set<string> {
  const line = reply.headers.getSetCookie().find((candidate) => candidate.startsWith(`${name}=`)) ?? ''
  return new Set(line.split(';').slice(1).map((part) => part.trim().toLowerCase()))
}

let people = 0

/** Adds a person with a password, as admin, and signs in as them. */
export async function addPerson (server: TestApp, role: 'viewer' | 'operator' | 'admin', email = `${role}-${++people}@pits.example`) {
  const admin = restClient(server.url, server.headers['x-api-key'])
  const added = await admin<{ id: string }>('POST', '/api/user', { name: `Some ${role}`, email, password: goodPassword, role })
  const reply = await logIn(server, email)
  const { accessToken, refreshToken = '' } = reply.body.data
  return { id: added.body.data.id, email, accessToken, refreshToken, bearer: { authorization: `Bearer ${accessToken}` } }
}

/** Signs in with the refresh token in the body unless told otherwise. */
export function logIn (server: TestApp, email: string, password = goodPassword, token = 'body') {
  return restClient(server.url)<SignedInReply>('POST', '/api/auth/login', { email, password, token })
}

/** Opens a browser's session: the cookies that sign-in sets, and what a browser sends along. */
export async function openBrowser (server: TestApp, email: string) {
  const reply = await logIn(server, email, goodPassword, 'cookie')
  const session = cookieOf(reply, 'pw_session') ?? ''
  const refresh = cookieOf(reply, 'pw_refresh') ?? ''
  return { reply, session, refresh, headers: { cookie: `pw_session=${session}`, origin: server.url } }
}
