import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BSON, MongoClient } from 'mongodb'
import type { Test } from 'tap'
import { exceptions } from '../conformance-exceptions.js'
import { whyNotConcerned } from './requirements.js'
import { runCase } from './run-case.js'
import { NotJudged, type TestFile } from './types.js'
import { startEmbeddedMongo } from '../../helpers/built-or-source.js'

/** The data stays out of the repository, since its licence forbids more than use as test input. */
const root = process.env.CONFORMANCE_DIR ?? join(import.meta.dirname, '../../../../shared/conformance')
/** At least this part of what can be judged must pass. */
const GOAL = 0.97

interface Tally { judged: number, passed: number, failures: string[], unexpected: string[] }

/** Declares a test that runs every case of these folders of the conformance data. */
export function testFolders (t: Test, title: string, folders: string[]): void {
  const skip = existsSync(root) ? false : `the conformance data is not at ${root}; set CONFORMANCE_DIR to its folder`
  t.test(title, { skip }, async t => {
    const mongo = await startEmbeddedMongo({ dataDir: t.testdir() })
    const admin = await new MongoClient(mongo.uri).connect()
    t.teardown(async () => {
      await admin.close()
      await mongo.close()
    })
    const { versionArray } = await admin.db('admin').command({ buildInfo: 1 })
    const tally: Tally = { judged: 0, passed: 0, failures: [], unexpected: [] }
    for (const folder of folders) {
      for (const name of readdirSync(join(root, folder)).filter(file => file.endsWith('.json')).sort()) {
        await runFile(mongo.uri, admin, `${folder}/${name}`, (versionArray as number[]).slice(0, 3), tally)
      }
    }
    t.comment(`${tally.passed} of ${tally.judged} judged cases passed`)
    t.same(tally.failures, [], 'every case passes or is among the exceptions')
    t.same(tally.unexpected, [], 'no exception passes')
    t.ok(tally.passed / tally.judged >= GOAL, `${tally.passed} of ${tally.judged} are at least ${GOAL * 100} %`)
  })
}

async function runFile (uri: string, admin: MongoClient, name: string, version: number[], tally: Tally): Promise<void> {
  // Read anew for each case: the driver adds ids to the documents it is given.
  const read = (): TestFile => BSON.EJSON.parse(readFileSync(join(root, name), 'utf8')) as TestFile
  for (const index of read().tests.keys()) {
    const file = read()
    const test = file.tests[index]!
    const id = `${name}: ${test.description}`
    const why = test.skipReason ?? whyNotConcerned(file.runOnRequirements, version) ?? whyNotConcerned(test.runOnRequirements, version)
    if (why !== undefined) continue
    try {
      await runCase(uri, admin, file, test)
      tally.judged++
      tally.passed++
      if (id in exceptions) tally.unexpected.push(id)
    } catch (error) {
      if (error instanceof NotJudged) continue
      tally.judged++
      if (!(id in exceptions)) tally.failures.push(`${id}\n    ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
