/** A binary heap: the item that comes before all others is on top. */
export class Heap<Item> {
  private readonly items: Item[] = []
  private readonly isBefore: (a: Item, b: Item) => boolean

  constructor (isBefore: (a: Item, b: Item) => boolean) {
    this.isBefore = isBefore
  }

  get size (): number {
    return this.items.length
  }

  get top (): Item | undefined {
    return this.items[0]
  }

  push (item: Item): void {
    const { items } = this
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.isBefore(item, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop (): Item | undefined {
    const [top] = this.items
    const last = this.items.pop()
    if (this.items.length > 0) this.sink(last!)
    return top
  }

  /** Puts an item in the place of the top one; the same object again if its rank has changed. */
  replaceTop (item: Item): void {
    this.sink(item)
  }

  /** All items, in no order; the heap is empty afterwards. */
  drain (): Item[] {
    return this.items.splice(0)
  }

  private sink (item: Item): void {
    const { items } = this
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && this.isBefore(items[child + 1]!, items[child]!)) child++
      if (!this.isBefore(items[child]!, item)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
  }
}
