/**
 * The highest key that an index has or may come to have: of what is committed, what a commit is writing, and what open
 * transactions hold. A key above it is new, without a look into the tree. It never falls, so that one that is too high
 * costs no more than a look.
 *
 * Only the index on `_id` has one: drivers make ids that ascend, which other keys seldom do.
 */
export class KeyCeiling {
  private highest: Uint8Array

  constructor (highest: Uint8Array = new Uint8Array()) {
    this.highest = highest
  }

  isBelow (key: Uint8Array): boolean {
    const { highest } = this
    const length = Math.min(key.length, highest.length)
    // A loop, since that is quicker than the call into native code for the few bytes of an id.
    for (let i = 0; i < length; i++) if (key[i] !== highest[i]) return key[i]! > highest[i]!
    return key.length > highest.length
  }

  /** To be told every key that is put into the index, before anybody can look for it. */
  raise (key: Uint8Array): void {
    if (this.isBelow(key)) this.highest = key
  }
}
