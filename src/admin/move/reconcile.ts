import { isDeepStrictEqual } from 'node:util'
import mongoose from 'mongoose'
import { AdminError } from '../admin-error.js'
import type { CollectionSpec } from './catalogue.js'
import type { Move } from './move-context.js'
import { formatNamespace } from './namespace.js'
import { VALIDATION_DEFAULTS } from './target.js'

const { BSON } = mongoose.mongo

/**
 * Brings the target's collections in line with the source's of this moment: what was dropped, renamed or made anew
 * goes, what is new is put down to be copied. Documents are not looked at.
 */
export async function reconcileCollections ({ source, target, progress }: Move): Promise<void> {
  const wanted = new Map((await source.catalogue()).map(spec => [formatNamespace(spec), spec]))
  for (const { spec } of [...progress.collections.values()]) {
    const now = wanted.get(formatNamespace(spec))
    if (now !== undefined && now.kind === spec.kind && now.uuid === spec.uuid) continue
    await target.drop(spec)
    await progress.forget(spec)
  }
  for (const spec of wanted.values()) {
    const known = progress.of(spec)
    if (known === undefined) {
      if (await target.has(spec)) throw new AdminError(`target: ${formatNamespace(target.placeOf(spec))} is there already, and was not made by this move`)
      await progress.save({ spec, state: 'new', documents: 0 })
    } else if (!sameOptions(known.spec, spec)) {
      const [before, after] = [known.spec, spec].map(withoutValidation)
      if (known.state !== 'new' && isDeepStrictEqual(before, after)) {
        await target.changeValidation(spec, known.spec.options, spec.options)
        await progress.save({ ...known, spec })
      } else await progress.save({ spec, state: 'new', documents: 0 })
    }
  }
}

function sameOptions (a: CollectionSpec, b: CollectionSpec): boolean {
  return Buffer.from(BSON.serialize(a.options)).equals(BSON.serialize(b.options))
}

function withoutValidation ({ options }: CollectionSpec): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(name in VALIDATION_DEFAULTS)))
}
