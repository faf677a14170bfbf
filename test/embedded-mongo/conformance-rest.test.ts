import t from 'tap'
import { testFolders } from './unified/run-folders.js'

testFolders(t, 'streams, schema and API pass the conformance data', [
  'change-streams', 'collection-management', 'index-management', 'run-command', 'unified-test-format', 'versioned-api'
])
