import t from 'tap'
import { testFolders } from './unified/run-folders.js'

testFolders(t, 'reads and writes pass the conformance data', ['crud', 'gridfs', 'read-write-concern'])
