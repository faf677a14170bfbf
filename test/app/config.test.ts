import { statSync, writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { makeCertificate } from '../helpers/self-signed.js'
import { ConfigError, EnvironmentSchema, loadConfig } from '../../src/config.js'

test('fills in the defaults of development', async (t) => {
  const directory = t.testdir({})
  const config = loadConfig({}, directory)
  t.match(config, {
    production: false, port: 5000, host: '127.0.0.1', simulate: 5, dashboardAccess: 'public-read', dataDir: join(directory, 'data'), socketPath: '/ws', bodyLimit: 8 * 1024 * 1024
  })
  t.equal(loadConfig({}, directory).jwtSecret, config.jwtSecret, 'the made secret is kept')
  t.equal(statSync(config.dataDir).mode & 0o777, 0o700)
})

test('production and a database change defaults', async (t) => {
  const directory = t.testdir({})
  t.match(loadConfig({ NODE_ENV: 'production' }, directory), { host: '0.0.0.0', simulate: 0, dashboardAccess: 'login' })
  t.match(loadConfig({ MONGODB_URI: 'mongodb://db' }, directory), { simulate: 0, mongodbUri: 'mongodb://db' })
  t.match(loadConfig({ HOST: '192.168.1.4' }, directory), { dashboardAccess: 'login', loopback: false })
})

test('reads .env below the environment', async (t) => {
  const directory = t.testdir({})
  writeFileSync(join(directory, '.env'), 'PORT=6000\nSIMULATE=2\nHOST=\nCORS_ORIGIN="https://a.example, https://b.example/"\n')
  const config = loadConfig({ PORT: '7000', SIMULATE: '' }, directory)
  t.match(config, { port: 7000, simulate: 2, host: '127.0.0.1', corsOrigins: ['https://a.example', 'https://b.example'] })
})

test('a wrong value names the variable, the given and the allowed', async (t) => {
  const directory = t.testdir({})
  const cases: [NodeJS.ProcessEnv, string][] = [
    [{ PORT: 'abc' }, 'PORT was given "abc"; allowed: port to listen on, 0 to 65535'],
    [{ PORT: '70000' }, 'PORT was given "70000"; allowed: port to listen on, 0 to 65535'],
    [{ DASHBOARD_ACCESS: 'open' }, 'DASHBOARD_ACCESS was given "open"; allowed: public-read or login'],
    [{ API_KEY: 'short' }, 'API_KEY was given something else; allowed: 20 to 256 characters, letters, digits and !#$%&\'*+-.^_`|~'],
    [{ CORS_ORIGIN: 'https://a.example/path' }, 'CORS_ORIGIN was given "https://a.example/path"; allowed: origins such as https://app.example, comma-separated'],
    [{ OPEN_SIGNUP: 'perhaps' }, 'OPEN_SIGNUP was given "perhaps"; allowed: true or false'],
    [{ RATE_LIMIT_WINDOW: 'soon' }, 'RATE_LIMIT_WINDOW was given "soon"; allowed: a time such as 1 minute or 30 seconds'],
    [{ RATE_LIMIT_WINDOW: '0 seconds' }, 'RATE_LIMIT_WINDOW was given "0 seconds"; allowed: a time such as 1 minute or 30 seconds'],
    ...['http://a b', 'https://:80', 'https://pits.example:99999', 'http://[::1'].map((url): [NodeJS.ProcessEnv, string] =>
      [{ PUBLIC_URL: url }, `PUBLIC_URL was given "${url}"; allowed: address users open, http:// or https://`]),
    [{ TLS_CERT: 'cert.pem' }, 'TLS_KEY is missing; allowed: TLS_CERT and TLS_KEY together, or neither'],
    [{ TRUST_PROXY: 'everyone' }, 'TRUST_PROXY was given "everyone"; allowed: true, false, a number of proxies, or addresses such as 10.0.0.1, 10.0.0.0/8 and loopback, comma-separated'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY was given "10.0.0.0/33"; allowed: true, false, a number of proxies, or addresses such as 10.0.0.1, 10.0.0.0/8 and loopback, comma-separated'],
    [{ NODE_ENV: 'production', MONGODB_URI: 'mongodb://db' }, 'JWT_SECRET is missing; allowed: at least 32 characters, required with NODE_ENV=production and MONGODB_URI']
  ]
  for (const [env, message] of cases) t.throws(() => loadConfig(env, directory), new ConfigError(message), message)
})

test('a variable of blanks alone counts as unset', async (t) => {
  const directory = t.testdir({})
  t.match(loadConfig({ PORT: ' ', AUTH_FAILURE_LIMIT: ' ', HOST: '\t', API_KEY: ' ' }, directory), { port: 5000, authFailureLimit: 100, host: '127.0.0.1', apiKey: undefined })
})

test('a secret that a crash left empty is made anew', async (t) => {
  const directory = t.testdir({ data: { 'jwt-secret': '' } })
  const { jwtSecret } = loadConfig({}, directory)
  t.ok(jwtSecret.length >= 32)
  t.equal(loadConfig({}, directory).jwtSecret, jwtSecret)
})

test('trusts proxies by name, address and network', async (t) => {
  const directory = t.testdir({})
  for (const value of ['loopback', '10.0.0.1', '10.0.0.0/8, fd00::/8', 'loopback,uniquelocal']) t.equal(loadConfig({ TRUST_PROXY: value }, directory).trustProxy, value)
  t.same(['true', 'false', '2'].map((value) => loadConfig({ TRUST_PROXY: value }, directory).trustProxy), [true, false, 2])
})

test('tries certificate and key before anything listens', async (t) => {
  const [own, other] = [makeCertificate(), makeCertificate()]
  const directory = t.testdir({ 'cert.pem': own.cert, 'key.pem': own.key, 'other.pem': other.key, 'text.pem': 'not a certificate\n' })
  t.same(loadConfig({ TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' }, directory).tls, own)
  const cases: [cert: string, key: string, message: RegExp][] = [
    ['text.pem', 'key.pem', /^TLS_CERT was given ".*text\.pem", which does not serve \(.*\); allowed: the path of a PEM certificate$/],
    ['cert.pem', 'text.pem', /^TLS_KEY was given ".*text\.pem", which does not serve/],
    ['cert.pem', 'other.pem', /^TLS_KEY was given ".*other\.pem", which does not serve \(.*mismatch.*\); allowed: the key of the certificate in TLS_CERT$/],
    ['absent.pem', 'key.pem', /^TLS_CERT was given ".*absent\.pem", which cannot be read/]
  ]
  for (const [cert, key, message] of cases) t.throws(() => loadConfig({ TLS_CERT: cert, TLS_KEY: key }, directory), { name: 'ConfigError', message })
})

test('.env.example lists every setting', async (t) => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
  for (const name of Object.keys(EnvironmentSchema.properties)) t.match(example, new RegExp(`^${name}=`, 'm'), name)
})
