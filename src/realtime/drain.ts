import { setTimeout as delay } from 'node:timers/promises'
import { closeCodes, type Connection } from './connection.js'

/**
 * Says goodbye to all, answers what is being worked on, and closes. Many are asked to come
 * back one after another, half as fast as they would be let in.
 * @param patience milliseconds; who takes longer is dropped
 * @param reconnectRate connections a second that may come back; 0 for any number
 */
export async function drainConnections (connections: Iterable<Connection>, patience: number, reconnectRate: number): Promise<void> {
  const all = [...connections]
  const spread = reconnectRate > 0 ? all.length / reconnectRate * 2000 : 0
  for (const connection of all) {
    connection.send({ type: 'bye', reason: 'the server restarts', reconnectAfter: 500 + Math.round(Math.random() * spread) })
  }
  const deadline = Date.now() + patience
  const until = async (done: (connection: Connection) => boolean) => {
    while (!all.every(done) && Date.now() < deadline) await delay(5)
  }
  await until(({ busy, closed }) => busy === 0 || closed)
  for (const connection of all) connection.close(closeCodes.restarting, 'restarting')
  await until(({ closed }) => closed)
  for (const connection of all) if (!connection.closed) connection.transport.terminate()
}
