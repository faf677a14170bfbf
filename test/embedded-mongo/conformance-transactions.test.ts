import t from 'tap'
import { testFolders } from './unified/run-folders.js'

testFolders(t, 'sessions and transactions pass the conformance data', ['transactions', 'transactions-convenient-api', 'sessions', 'causal-consistency'])
