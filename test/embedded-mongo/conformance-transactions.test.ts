import { testFolders } from './unified/run-folders.js'

testFolders('sessions and transactions pass the conformance data', ['transactions', 'transactions-convenient-api', 'sessions', 'causal-consistency'])
