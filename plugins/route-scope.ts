import type { FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'
import { hasScope, type Identity, type Scope } from '../src/identity/identity.js'

/** Who may call a route: everyone, anyone with a credential, or holders of a scope. */
export type RouteScope = 'public' | 'any' | Scope

/** A route as the authorisation sees it. */
export interface RouteRow { method: string, url: string, scope: RouteScope | undefined, visitor: boolean, boundKeys: boolean }

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is, in the order of registration. */
    routeTable: readonly RouteRow[]
  }
  interface FastifyContextConfig {
    /** Required on every route; a route without one stops the start. */
    scope?: RouteScope
    /** True on the routes that a visitor of `public-read` may call, with the scope; all others refuse one. */
    visitor?: true
    /** Set on the routes that a key bound to a vehicle or device may call, with the scope or whatever it has, which keep it to that one; all others refuse it. */
    boundKeys?: true | 'any scope'
  }
  interface FastifyRequest {
    /** Set by the api-key plugin before any handler runs; null on public routes without a credential. */
    identity: Identity | null
  }
}

/** Authorisation in one place: every route names its scope, and is refused without it. */
export default fp(async (app) => {
  app.decorateRequest('identity', null)
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => { routes.push(route) })
  const listRoutes = () => routes.flatMap(({ method, url, config }) => [method].flat().map((name): RouteRow =>
    ({ method: name, url, scope: config?.scope, visitor: config?.visitor === true, boundKeys: config?.boundKeys !== undefined })))
  app.decorate('routeTable', { getter: listRoutes })
  app.addHook('onReady', async () => {
    const unnamed = listRoutes().find(({ scope }) => scope === undefined)
    if (unnamed) throw new Error(`Route ${unnamed.method} ${unnamed.url} names no scope`)
  })
  app.addHook('preValidation', (request, _reply, done) => {
    const { scope, visitor, boundKeys } = request.routeOptions.config
    if (scope === 'public' || request.is404) return done()
    if (scope === undefined) return done(new PitwallError('FORBIDDEN', 'This route names no scope'))
    const { identity } = request
    if (identity === null) return done(unauthorized())
    if (identity.kind === 'visitor' && visitor !== true) {
      return done(new PitwallError('FORBIDDEN', 'Visitors may not see this; sign in'))
    }
    const bound = (identity.vehicle ?? identity.device) !== undefined
    if (bound && boundKeys === undefined) {
      return done(new PitwallError('FORBIDDEN', `This key may only write the measurements of ${identity.vehicle ?? identity.device}`))
    }
    if (scope !== 'any' && !(bound && boundKeys === 'any scope') && !hasScope(identity, scope)) {
      return done(new PitwallError('FORBIDDEN', `This needs the scope ${scope}`))
    }
    done()
  })
}, { name: 'route-scope', fastify: '5.x' })

/** The identity of an authenticated request. @throws UNAUTHORIZED when there is none */
export function identityOf (request: FastifyRequest): Identity {
  if (!request.identity) throw unauthorized()
  return request.identity
}

const unauthorized = () => new PitwallError('UNAUTHORIZED', 'Send an API key as X-API-Key, or a key or access token as Authorization: Bearer')
