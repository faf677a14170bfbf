import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { guardPageOrigin } from '../../../plugins/page-origin.js'
import { identityOf } from '../../../plugins/route-scope.js'
import { PitwallError } from '../../../src/errors.js'
import { cookieNames } from '../../../src/identity/request-credentials.js'
import { LogIn, LogOut, Me, PasswordChange, Refresh, SignedIn, SignUp, Tokens } from '../../../src/schemas/auth.js'
import { Success } from '../../../src/schemas/envelope.js'
import loginSessions from './sessions.js'
import { callerOf, clearCookies, giveTokens, signIn } from './sign-in.js'

const tags = ['auth']
const config = { scope: 'public' } as const
const body = { preValidation: async (request: { body: unknown }) => { request.body ??= {} } }

const auth: FastifyPluginAsyncTypebox = async (app) => {
  const { accounts, audit, sessions, users } = app.identities
  app.addHook('onRequest', async (request) => guardPageOrigin(request, cookieNames.refresh in request.cookies))

  app.post('/signup', {
    config,
    schema: {
      summary: 'Make an account and sign in',
      description: 'The first account becomes admin and needs the admin key, unless it is made on the server itself. Later ones need an invitation, or OPEN_SIGNUP.',
      tags,
      body: SignUp,
      response: { 201: Success(SignedIn) }
    }
  }, async (request, reply) => {
    const { token, ...input } = request.body
    const user = await accounts.signUp(input, callerOf(request))
    const tokens = await signIn(request, reply, user, token)
    return reply.code(201).send({ success: true, data: { ...tokens, user: await users.get(user._id) } })
  })

  app.post('/login', {
    config,
    schema: { summary: 'Sign in', tags, body: LogIn, response: { 200: Success(SignedIn) } }
  }, async (request, reply) => {
    const { email, password, token } = request.body
    const user = await accounts.logIn(email, password, callerOf(request))
    const tokens = await signIn(request, reply, user, token)
    return { success: true as const, data: { ...tokens, user: await users.get(user._id) } }
  })

  app.post('/refresh', {
    config,
    schema: { summary: 'Exchange the refresh token for a new one and an access token', tags, body: Refresh, response: { 200: Success(Tokens) } },
    ...body
  }, async (request, reply) => {
    const { token, refreshToken = request.cookies[cookieNames.refresh] } = request.body
    if (refreshToken === undefined) throw new PitwallError('UNAUTHORIZED', 'Send the refresh token as cookie or in the body')
    const rotated = await sessions.rotate(refreshToken)
    const place = token ?? (request.body.refreshToken === undefined ? 'cookie' : 'body')
    return { success: true as const, data: giveTokens(request, reply, rotated.session, rotated.refreshToken, place) }
  })

  app.post('/logout', {
    config,
    schema: { summary: 'Sign out, here or everywhere', tags, body: LogOut, response: { 200: Success(Type.Object({ ended: Type.Integer({ description: 'sessions that were ended' }) })) } },
    ...body
  }, async (request, reply) => {
    const { everywhere = false, refreshToken = request.cookies[cookieNames.refresh] } = request.body
    const identity = request.identity?.kind === 'session' ? request.identity : await sessions.identifyRefresh(refreshToken)
    clearCookies(reply)
    const ended = identity ? await sessions.logOut(identity, everywhere) : 0
    if (identity && ended > 0) {
      await audit.record(identity, 'session.end', { type: 'user', id: identity.userId ?? '', name: identity.name }, { sessions: ended, address: request.ip })
    }
    return { success: true as const, data: { ended } }
  })

  app.post('/password', {
    config: { scope: 'any' },
    schema: { summary: 'Change one\'s own password', description: 'Ends all other sessions.', tags, body: PasswordChange, response: { 200: Success(Type.Object({ changed: Type.Literal(true) })) } }
  }, async (request) => {
    const { currentPassword, newPassword } = request.body
    await accounts.changePassword(identityOf(request), currentPassword, newPassword, callerOf(request))
    return { success: true as const, data: { changed: true as const } }
  })

  app.get('/me', {
    config: { scope: 'any', visitor: true, boundKeys: true },
    schema: { summary: 'Whose credential this is, and what it may do', tags, response: { 200: Success(Me) } }
  }, async (request, reply) => {
    const { kind, name, scopes, vehicle, device, userId } = identityOf(request)
    reply.header('cache-control', 'no-store')
    return {
      success: true as const,
      data: {
        kind,
        name,
        scopes: [...scopes],
        ...(vehicle !== undefined && { vehicle }),
        ...(device !== undefined && { device }),
        ...(userId !== undefined && { user: await users.get(userId) })
      }
    }
  })

  await app.register(loginSessions, { prefix: '/sessions' })
}

export default auth
