import type { IndexDefinition } from '../storage/index-definition.js'
import type { KeyRange } from '../storage/view.js'

/** How the documents of a query are found. */
export interface Plan {
  kind: 'COLLSCAN' | 'IXSCAN' | 'EOF'
  index?: IndexDefinition
  /** Ranges of documents (COLLSCAN) or of index entries (IXSCAN), in the order to be read. */
  ranges: KeyRange[]
  /** The ranges hold exactly what the filter matches, so no document needs to be looked at to decide. */
  isExact: boolean
  /** Documents come in the order of the requested sort. */
  isSorted: boolean
}
