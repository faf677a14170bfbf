/**
 * Command and arguments that run Node as users do. tap loads its module hooks into every process that a test starts: in
 * Node 20 a thread beside each thread, which costs time, and which processes were seen to wait for without end
 * (https://github.com/nodejs/node/issues/50948).
 * @param options of Node itself, as in NODE_OPTIONS
 */
export function plainNode (args: readonly string[], options = ''): [command: string, args: string[]] {
  // tap sets the variable after the test has chosen the environment; Windows has no `env`.
  if (process.platform === 'win32') return [process.execPath, [...args]]
  return ['/usr/bin/env', [...options ? [`NODE_OPTIONS=${options}`] : ['-u', 'NODE_OPTIONS'], process.execPath, ...args]]
}
