import { test } from 'tap'
import { createGroupCommit, type Weighed } from '../../src/telemetry/group-commit.js'

interface Item extends Weighed { name: string }
const item = (name: string, bytes = 10, documents = 1): Item => ({ name, bytes, documents })

/** A flush whose ends the test decides. */
function controlledFlush () {
  const groups: string[][] = []
  const ends: { resolve: () => void, reject: (error: Error) => void }[] = []
  let started = () => {}
  return {
    groups,
    flush: async (group: Item[]) => {
      groups.push(group.map(({ name }) => name))
      const end = new Promise<void>((resolve, reject) => { ends.push({ resolve, reject }) })
      started()
      await end
    },
    /** Resolves when so many flushes have begun. */
    begun: async (count: number) => {
      while (groups.length < count) await new Promise<void>((resolve) => { started = resolve })
    },
    end: (index: number, error?: Error) => error ? ends[index]?.reject(error) : ends[index]?.resolve()
  }
}

test('what comes in one turn is flushed at once together', async (t) => {
  const { groups, flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({ flush })
  const added = [queue.add(item('a')), queue.add(item('b'))]
  await begun(1)
  t.same(groups, [['a', 'b']])
  end(0)
  await Promise.all(added)
})

test('what comes during a flush goes with the next', async (t) => {
  const { groups, flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({ flush })
  const first = queue.add(item('a'))
  await begun(1)
  const others = [queue.add(item('b')), queue.add(item('c'))]
  end(0)
  await first
  await begun(2)
  t.same(groups, [['a'], ['b', 'c']])
  end(1)
  await Promise.all(others)
  await queue.drain()
})

test('groups are finished in order while the next is flushed', async (t) => {
  const told: string[] = []
  const { flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({
    async flush (group) {
      const names = group.map(({ name }) => name).join()
      told.push(`flush ${names}`)
      await flush(group)
      return () => { told.push(`finish ${names}`) }
    }
  })
  // Each as large as a group may be.
  const added = ['a', 'b', 'c'].map(async (name) => {
    await queue.add(item(name, 10, 4000))
    told.push(`answer ${name}`)
  })
  for (let index = 0; index < 3; index++) {
    await begun(index + 1)
    end(index)
  }
  await queue.drain()
  await Promise.all(added)
  t.same(told, ['flush a', 'flush b', 'flush c', 'finish a', 'answer a', 'finish b', 'answer b', 'finish c', 'answer c'])
  t.equal(queue.pendingBytes, 0)
})

test('a failed flush fails its own group only', async (t) => {
  const { flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({ flush })
  const first = t.rejects(queue.add(item('a')), { message: 'store is away' })
  await begun(1)
  const second = queue.add(item('b'))
  end(0, new Error('store is away'))
  await first
  await begun(2)
  end(1)
  await second
})

test('a full queue refuses and recovers', async (t) => {
  const { flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({ flush, maxBytes: 100 })
  const first = queue.add(item('a', 60))
  await begun(1)
  await t.rejects(queue.add(item('b', 60)), { code: 'TOO_MANY_REQUESTS', retryAfter: 1 })
  t.equal(queue.pendingBytes, 60)
  end(0)
  await first
  await queue.drain()
  t.equal(queue.pendingBytes, 0)
  const next = queue.add(item('c', 60))
  await begun(2)
  end(1)
  await next
})

test('one item larger than the bound still passes alone', async (t) => {
  const queue = createGroupCommit<Item>({ flush: async () => {}, maxBytes: 100 })
  const large = queue.add(item('large', 500))
  await t.resolves(queue.add(item('empty', 0)), 'and what has no bytes behind it')
  await t.resolves(large)
})

test('a group stops at its most documents', async (t) => {
  const { groups, flush, begun, end } = controlledFlush()
  const queue = createGroupCommit<Item>({ flush, maxDocuments: 10 })
  const added = ['a', 'b', 'c'].map((name) => queue.add(item(name, 10, 6)))
  await begun(1)
  end(0)
  await begun(2)
  end(1)
  await Promise.all(added)
  t.same(groups, [['a', 'b'], ['c']])
})
