import { test } from 'tap'
import { previewData } from '../../src/entities/data-preview.js'

test('secrets are replaced wherever they stand', async (t) => {
  const preview = previewData({ user: { name: 'Ada', password: 'hunter2' }, list: [{ apiKey: 'pw_1' }], Authorization: 'Bearer x', key: 'k' })
  t.notMatch(preview, /hunter2|pw_1|Bearer x|"k"/)
  t.match(preview, /Ada/)
})

test('small data shows whole as JSON', async (t) => {
  const data = { a: [1, 'two', null, true], b: { c: 1.5 } }
  t.strictSame(JSON.parse(previewData(data)), data)
})

test('large data is cut to a kilobyte', async (t) => {
  t.equal(previewData({ text: 'x'.repeat(5_000_000) }).length, 1024)
  t.equal(previewData(Array.from({ length: 1_000_000 }, (_, index) => index)).length, 1024)
})
