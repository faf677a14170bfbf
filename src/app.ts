import cookie from '@fastify/cookie'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Config } from './config.js'
import alerts from '../plugins/alerts.js'
import analytics from '../plugins/analytics.js'
import apiKey from '../plugins/api-key.js'
import broker from '../plugins/broker.js'
import changeFeed from '../plugins/change-feed.js'
import commands from '../plugins/commands.js'
import connectionClose from '../plugins/connection-close.js'
import cors from '../plugins/cors.js'
import dashboard from '../plugins/dashboard.js'
import documentation from '../plugins/documentation.js'
import entities from '../plugins/entities.js'
import { createRequestLogger } from './request-logger.js'
import errorHandler, { sendProblem, toPitwallError } from '../plugins/error-handler.js'
import identity from '../plugins/identity.js'
import idempotency from '../plugins/idempotency.js'
import jwt from '../plugins/jwt.js'
import jsonBody from '../plugins/json-body.js'
import liveness from '../plugins/liveness.js'
import lifecycle from '../plugins/lifecycle.js'
import metrics from '../plugins/metrics.js'
import mongo from '../plugins/mongo.js'
import rateLimit from '../plugins/rate-limit.js'
import realtime from '../plugins/realtime.js'
import replay from '../plugins/replay.js'
import requestHost from '../plugins/request-host.js'
import routeScope from '../plugins/route-scope.js'
import schemaCompilers from '../plugins/schema-compilers.js'
import securityHeaders from '../plugins/security-headers.js'
import signalRegistry from '../plugins/signals.js'
import simulator from '../plugins/simulator.js'
import telemetry from '../plugins/telemetry.js'
import uploadTimeout from '../plugins/upload-timeout.js'
import alertRoutes from '../routes/api/alerts/index.js'
import alertRuleRoutes from '../routes/api/alert-rules/index.js'
import activityRoutes from '../routes/api/activity/index.js'
import analyticsRoutes from '../routes/api/analytics/index.js'
import sessionsRoutes from '../routes/api/sessions/index.js'
import audit from '../routes/api/audit/index.js'
import auth from '../routes/api/auth/index.js'
import socket from '../routes/socket/index.js'
import health from '../routes/health/index.js'
import channels from '../routes/api/channels/index.js'
import commandRoutes from '../routes/api/commands/index.js'
import connections from '../routes/api/connections/index.js'
import publish from '../routes/api/publish/index.js'
import data from '../routes/api/data/index.js'
import devices from '../routes/api/devices/index.js'
import engineIcon from '../routes/api/engine-icon/index.js'
import events from '../routes/api/events/index.js'
import gear from '../routes/api/gear/index.js'
import hello from '../routes/api/hello/index.js'
import invitations from '../routes/api/invitations/index.js'
import keys from '../routes/api/keys/index.js'
import people from '../routes/api/user/index.js'
import signals from '../routes/api/signals/index.js'
import simulatorRoutes from '../routes/api/simulator/index.js'
import updateStatus from '../routes/api/update-status/index.js'
import vehicles from '../routes/api/vehicles/index.js'

/** Config with the database's address known: given, or the embedded store's. */
export type AppConfig = Config & { mongodbUri: string }

declare module 'fastify' {
  interface FastifyInstance { config: AppConfig }
}

export interface AppOptions {
  /** A pino logger, or false for none. */
  logger?: FastifyBaseLogger | false
  /** Folder of the built dashboard; without it `/` says how to build it. */
  publicDir?: string
}

// Characters of a part of a path, above those of any id or channel.
const MAX_PARAMETER = 512

/** Builds the whole server without listening: plugins first, then routes. */
export async function buildApp (config: AppConfig, options: AppOptions = {}): Promise<FastifyInstance> {
  const serverOptions: FastifyServerOptions = {
    ...(options.logger ? { loggerInstance: options.logger } : { logger: false }),
    trustProxy: typeof config.trustProxy === 'number' ? trustHops(config.trustProxy) : config.trustProxy,
    bodyLimit: config.bodyLimit,
    // A new index over many samples takes minutes; what the start waits for is logged, and ended by its own limits.
    pluginTimeout: 0,
    forceCloseConnections: 'idle',
    childLoggerFactory: createRequestLogger,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    frameworkErrors: (error, request, reply) => { sendProblem(request, reply, toPitwallError(error)) }
  }
  const app: FastifyInstance = config.tls
    ? Fastify({ ...serverOptions, https: config.tls } as FastifyServerOptions)
    : Fastify(serverOptions)
  app.decorate('config', config)

  await app.register(errorHandler)
  await app.register(schemaCompilers)
  await app.register(jsonBody)
  await app.register(lifecycle)
  await app.register(connectionClose)
  await app.register(routeScope)
  await app.register(securityHeaders)
  await app.register(requestHost)
  await app.register(cors)
  await app.register(liveness)
  await app.register(uploadTimeout)
  await app.register(cookie)
  await app.register(rateLimit)
  await app.register(documentation)
  await app.register(metrics)
  await app.register(mongo)
  await app.register(broker)

  // Services of the domains: identity, entities, telemetry, analytics, then realtime, which calls them.
  await app.register(jwt)
  await app.register(identity)
  await app.register(idempotency)
  await app.register(changeFeed)
  await app.register(entities)
  await app.register(signalRegistry)
  await app.register(telemetry)
  await app.register(alerts)
  await app.register(commands)
  await app.register(analytics)
  await app.register(replay)
  await app.register(realtime)
  await app.register(simulator)

  // Public routes.
  await app.register(dashboard, options.publicDir === undefined ? {} : { publicDir: options.publicDir })
  await app.register(socket)
  await app.register(health, { prefix: '/health' })
  await app.register(hello, { prefix: '/api/hello' })

  // Everything below needs a credential.
  await app.register(async (api) => {
    await api.register(apiKey)
    await api.register(auth, { prefix: '/auth' })
    await api.register(invitations, { prefix: '/invitations' })
    await api.register(keys, { prefix: '/keys' })
    await api.register(people, { prefix: '/user' })
    await api.register(people, { prefix: '/users' })
    await api.register(audit, { prefix: '/audit' })
    await api.register(activityRoutes, { prefix: '/activity' })
    await api.register(sessionsRoutes, { prefix: '/sessions' })
    await api.register(analyticsRoutes, { prefix: '/analytics' })
    await api.register(connections, { prefix: '/connections' })
    await api.register(channels, { prefix: '/channels' })
    await api.register(publish, { prefix: '/publish' })
    await api.register(events, { prefix: '/events' })
    await api.register(devices, { prefix: '/devices' })
    await api.register(gear, { prefix: '/gear' })
    await api.register(engineIcon, { prefix: '/engine-icon' })
    await api.register(data, { prefix: '/data' })
    await api.register(updateStatus, { prefix: '/update-status' })
    await api.register(vehicles, { prefix: '/vehicles' })
    await api.register(commandRoutes, { prefix: '/commands' })
    await api.register(signals, { prefix: '/signals' })
    await api.register(alertRoutes, { prefix: '/alerts' })
    await api.register(alertRuleRoutes, { prefix: '/alert-rules' })
    await api.register(simulatorRoutes, { prefix: '/simulator' })
  }, { prefix: '/api' })
  return app
}

/** Trusts the given number of proxies in front of the server. */
const trustHops = (hops: number) => (_address: string, hop: number) => hop < hops
