import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/** Headers against content injection and framing; those that need HTTPS only when it is served. */
export default fp(async (app) => {
  const secure = app.config.tls !== undefined || app.config.publicUrl?.startsWith('https:') === true
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        connectSrc: ["'self'"],
        fontSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        scriptSrcAttr: ["'none'"],
        styleSrc: ["'self'"],
        ...(secure && { upgradeInsecureRequests: [] })
      }
    },
    crossOriginOpenerPolicy: secure,
    originAgentCluster: secure,
    strictTransportSecurity: secure
  })
}, { name: 'security-headers', fastify: '5.x' })
