/**
 * Command and arguments that run Node as users do. tap loads its module hooks into every process that a test starts; they
 * are a thread beside each thread, which costs time, and can lock the process up where it starts threads of its own
 * (https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks warns of it).
 */
export function plainNode (args: readonly string[]): [command: string, args: string[]] {
  // tap sets the variable after the test has chosen the environment; Windows has no `env`.
  if (process.platform === 'win32') return [process.execPath, [...args]]
  return ['/usr/bin/env', ['-u', 'NODE_OPTIONS', process.execPath, ...args]]
}
