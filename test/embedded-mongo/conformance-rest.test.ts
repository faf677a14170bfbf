import { testFolders } from './unified/run-folders.js'

testFolders('streams, schema and API pass the conformance data', [
  'change-streams', 'collection-management', 'index-management', 'run-command', 'unified-test-format', 'versioned-api'
])
