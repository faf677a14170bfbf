import { startEmbeddedMongo } from '../../helpers/built-or-source.js'

/** A store in a process of its own, for tests that kill it: prints its connection string when it is up. */
const mongo = await startEmbeddedMongo({ dataDir: process.argv[2]! })
console.log(mongo.uri)
