import type { Document, SortOrder } from '../semantics/index.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import type { KeyRange } from '../storage/view.js'

/** How the documents of a query are found. */
export interface Plan {
  kind: 'COLLSCAN' | 'IXSCAN' | 'OR'
  index?: IndexDefinition
  /** Ranges of documents (COLLSCAN) or of index entries (IXSCAN), in the order to be read. */
  ranges: KeyRange[]
  /** Of an index's ranges, how many bytes their keys begin with that equalities fix. */
  heads?: number[]
  /** How many of the index's leading fields those are. */
  equalities?: number
  /** The ranges are read side by side, in the order of what follows the heads. */
  isMerged?: boolean
  /** The plans whose documents together are the result (OR). */
  branches?: Plan[]
  /** The order in which the branches, each sorted, are merged; without it they are read one after the other. */
  order?: SortOrder<Document>
  /** Of a branch, the filter it was planned for. */
  filter?: Document
  /** The ranges hold exactly what the filter matches, so no document needs to be looked at to decide. */
  isExact: boolean
  /** Documents come in the order of the requested sort. */
  isSorted: boolean
}
