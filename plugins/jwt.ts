import fastifyJwt from '@fastify/jwt'
import fp from 'fastify-plugin'
import { accessTokenLifetime, type AccessTokenClaims, type AccessTokens } from '../src/identity/access-tokens.js'

declare module '@fastify/jwt' {
  interface FastifyJWT { payload: AccessTokenClaims }
}

declare module 'fastify' {
  interface FastifyInstance { accessTokens: AccessTokens }
}

const issuer = 'pitwall'
const audience = 'pitwall-api'

/** Access tokens: HS256 and nothing else, ten minutes, for this server's API alone. */
export default fp(async (app) => {
  await app.register(fastifyJwt, {
    secret: app.config.jwtSecret,
    sign: { algorithm: 'HS256', iss: issuer, aud: audience, expiresIn: accessTokenLifetime },
    verify: {
      algorithms: ['HS256'],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'aud', 'exp', 'sub', 'sid']
    }
  })
  app.decorate('accessTokens', {
    sign: (claims: AccessTokenClaims) => app.jwt.sign(claims),
    verify (token: string) {
      try {
        const { sub, sid } = app.jwt.verify<AccessTokenClaims>(token)
        return typeof sub === 'string' && typeof sid === 'string' ? { sub, sid } : null
      } catch (error) {
        if (isTokenFault(error)) return null
        throw error
      }
    }
  })
}, { name: 'access-tokens', fastify: '5.x' })

/** True for what is wrong with a token, as against what is wrong with the server. */
function isTokenFault (error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FAST_JWT_')
}
