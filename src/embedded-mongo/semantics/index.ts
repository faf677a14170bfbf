export { CommandError, ErrorCodes, codeNameOf } from './errors.js'
export { deserializeDocument, serializeDocument } from './values/codec.js'
export { compareValues } from './values/compare.js'
export { normalizeCollation } from './values/collation.js'
export { encodeKey, encodeKeyDescending } from './index-keys/encode-key.js'
export { extractIndexKeys } from './index-keys/extract.js'
export { analyzeFilter } from './match/analyze.js'
export { compileFilter } from './match/compile.js'
export { compileProjection } from './project/compile.js'
export { compileSort } from './sort.js'
export { compileUpdate } from './update/compile.js'
export { updateDescription } from './update/describe.js'
export { runPipeline } from './pipeline/run.js'
export { sortDocuments } from './pipeline/stages/sort.js'
export { splitMatchPrefix } from './pipeline/prefix.js'
export type {
  Collation, CollectionReference, CompiledUpdate, Document, FilterOptions, IndexKeys, PathBounds,
  PipelineOptions, ProjectionOptions, UpdateDescription, UpdateOptions
} from './types.js'
