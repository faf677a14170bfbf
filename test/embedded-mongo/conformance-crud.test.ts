import { testFolders } from './unified/run-folders.js'

testFolders('reads and writes pass the conformance data', ['crud', 'gridfs', 'read-write-concern'])
