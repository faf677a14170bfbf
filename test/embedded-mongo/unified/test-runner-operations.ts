import { isDeepStrictEqual } from 'node:util'
import type { ClientSession } from 'mongodb'
import { BSON, MongoClient, type Document } from 'mongodb'
import type { Entities } from './entities.js'
import { Mismatch, NotJudged } from './types.js'

const { EJSON } = BSON

/** Operations on the runner itself: assertions about collections, indexes and sessions. */
export async function runTestRunner (entities: Entities, name: string, args: Document): Promise<void> {
  switch (name) {
    case 'createEntities': return await entities.create(args.entities as Document[])
    case 'assertCollectionExists':
    case 'assertCollectionNotExists': {
      const names = await anyClient(entities).db(args.databaseName as string).listCollections({ name: args.collectionName }).toArray()
      return check((names.length > 0) === (name === 'assertCollectionExists'), `${name} ${String(args.collectionName)}`)
    }
    case 'assertIndexExists':
    case 'assertIndexNotExists': {
      const collection = anyClient(entities).db(args.databaseName as string).collection(args.collectionName as string)
      const indexes = await collection.listIndexes().toArray().catch(() => [])
      return check(indexes.some(index => index.name === args.indexName) === (name === 'assertIndexExists'), `${name} ${String(args.indexName)}`)
    }
    case 'assertSessionTransactionState': return check(stateOf(args.session as ClientSession) === args.state, `transaction state is ${stateOf(args.session as ClientSession)}`)
    case 'assertSessionNotDirty': return check((args.session as ClientSession).serverSession.isDirty === false, 'the session is dirty')
    case 'assertSameLsidOnLastTwoCommands': {
      const [a, b] = (entities.lsids.get(args.client as string) ?? []).slice(-2)
      return check(isDeepStrictEqual(EJSON.stringify(a), EJSON.stringify(b)), 'the last two commands had different sessions')
    }
    default: throw new NotJudged(`${name} of the test runner`)
  }
}

function anyClient (entities: Entities): MongoClient {
  for (const value of entities.values.values()) if (value instanceof MongoClient) return value
  throw new Error('the case has no client')
}

const STATES: Record<string, string> = {
  NO_TRANSACTION: 'none',
  STARTING_TRANSACTION: 'starting',
  TRANSACTION_IN_PROGRESS: 'in_progress',
  TRANSACTION_COMMITTED: 'committed',
  TRANSACTION_COMMITTED_EMPTY: 'committed',
  TRANSACTION_ABORTED: 'aborted'
}

function stateOf (session: ClientSession): string {
  return STATES[(session as unknown as { transaction: { state: string } }).transaction.state] ?? 'unknown'
}

function check (holds: boolean, message: string): void {
  if (!holds) throw new Mismatch(message)
}
