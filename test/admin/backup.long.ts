import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { checkBackup, writeDuringBackup } from './backup-rounds.js'
import { startAdmin } from './run-admin.js'

await t.test('backups of a large store under writes are whole', async t => {
  const folder = t.testdir({ data: {} })
  const dataDir = join(folder, 'data')
  const mongo = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(mongo.uri).connect()
  const bulk = client.db('pitwall').collection('bulk')
  for (let round = 0; round < 30; round++) await bulk.insertMany(Array.from({ length: 5_000 }, (_, index) => ({ round, index, text: 'x'.repeat(300) })))
  for (let round = 0; round < 5; round++) {
    const to = join(folder, `copy-${round}`)
    await checkBackup(t, to, await writeDuringBackup(client, to))
  }

  const { child, finished } = startAdmin(t, ['backup', '--to', join(folder, 'cut'), '--data-dir', dataDir])
  while (!readdirSync(folder).includes('cut.partial')) await new Promise(resolve => { setImmediate(resolve) })
  child.kill('SIGINT')
  t.match(await finished, { code: 130, errors: 'stopped; there is no backup\n' })
  while (readdirSync(folder).includes('cut.partial')) await new Promise(resolve => { setImmediate(resolve) })
  t.notOk(readdirSync(folder).includes('cut'), 'nothing is left of a backup that was stopped')
  await client.close()
  await mongo.close()
})
