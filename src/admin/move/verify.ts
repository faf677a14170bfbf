import { hash } from 'node:crypto'
import { AdminError } from '../admin-error.js'
import { formatCount, formatNumberOf } from '../progress-line.js'
import type { Move } from './move-context.js'
import { formatNamespace } from './namespace.js'

/** Count and checksum of a collection's documents, whatever their order. */
export interface Checksum { documents: number, sum: string }

/**
 * Adds up the SHA-256 hashes of all documents' bytes, in eight lanes of 32 bits: the same for the same documents in
 * any order, and counting the order of fields and the type of every number.
 */
export async function sumDocuments (batches: AsyncIterable<Buffer[]>, onBatch: (documents: number) => void = () => {}): Promise<Checksum> {
  const lanes = new Uint32Array(8)
  let documents = 0
  for await (const batch of batches) {
    for (const document of batch) {
      const digest = hash('sha256', document, 'buffer')
      for (let lane = 0; lane < 8; lane++) lanes[lane]! += digest.readUInt32LE(lane * 4)
    }
    documents += batch.length
    onBatch(batch.length)
  }
  return { documents, sum: Buffer.from(lanes.buffer).toString('hex') }
}

/**
 * Compares every collection of the target with the source's. What differs is put down to be copied anew.
 * @throws AdminError naming the collections that differ
 */
export async function verifyDocuments ({ source, target, progress, line, checkInterrupt }: Move): Promise<void> {
  const collections = [...progress.collections.values()].filter(({ spec }) => spec.kind !== 'view')
  const differing: string[] = []
  let read = 0
  for (const { spec } of collections) {
    const note = (documents: number): void => {
      read += documents
      checkInterrupt()
      line.show(() => `checking ${formatNamespace(spec)}: ${formatNumberOf(read, 'document')} compared`)
    }
    const [there, here] = await Promise.all([sumDocuments(source.readAll(spec), note), sumDocuments(target.readAll(spec))])
    if (there.sum === here.sum && there.documents === here.documents) continue
    differing.push(`${formatNamespace(target.placeOf(spec))} (${describe(there, here)})`)
    await progress.save({ spec, state: 'new', documents: 0 })
  }
  if (differing.length > 0) throw new AdminError(`target: not the same as the source: ${differing.join(', ')}; run again to copy it anew`)
}

function describe (there: Checksum, here: Checksum): string {
  if (there.documents === here.documents) return `${formatCount(here.documents)} documents in both, with different contents`
  return `${formatCount(here.documents)} documents instead of ${formatCount(there.documents)}`
}
