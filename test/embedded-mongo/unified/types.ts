import type { Document } from 'mongodb'

/** Shapes of a unified test file, as the MongoDB specifications describe them. */
export interface TestFile {
  description: string
  runOnRequirements?: Requirement[]
  createEntities?: Document[]
  initialData?: InitialData[]
  tests: TestCase[]
}

export interface Requirement {
  minServerVersion?: string
  maxServerVersion?: string
  topologies?: string[]
  auth?: boolean
  csfle?: unknown
  serverParameters?: Document
}

export interface InitialData { databaseName: string, collectionName: string, documents: Document[], createOptions?: Document }

export interface TestCase {
  description: string
  runOnRequirements?: Requirement[]
  skipReason?: string
  operations: Operation[]
  outcome?: InitialData[]
}

export interface Operation {
  name: string
  object: string
  arguments?: Document
  expectResult?: unknown
  expectError?: ExpectedError
  saveResultAsEntity?: string
  ignoreResultAndError?: boolean
}

export interface ExpectedError {
  isClientError?: boolean
  isError?: boolean
  errorContains?: string
  errorCode?: number
  errorCodeName?: string
  errorLabelsContain?: string[]
  errorLabelsOmit?: string[]
  errorResponse?: Document
  writeErrors?: Record<string, Document>
  expectResult?: unknown
}

/** A case that did not go as the file says. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

/** A case that cannot be judged here, and why. */
export class NotJudged extends Error {
  override readonly name = 'NotJudged'
}
