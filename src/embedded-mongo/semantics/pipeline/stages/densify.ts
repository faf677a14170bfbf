import { CommandError, failedToParse } from '../../errors.js'
import { splitFieldPath, valueAtPath, withValueAt } from '../../expression/field-path.js'
import { addUnits, parseUnit, type Unit } from '../../expression/operators/date-units.js'
import { timeZone } from '../../expression/operators/time-zone.js'
import { Sorter } from '../../sorter.js'
import type { Document } from '../../types.js'
import { add, multiply, wrapInteger } from '../../values/arithmetic.js'
import { compareValues } from '../../values/compare.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import type { StageFactory } from '../context.js'
import { mapPaced, PAUSE, type Item, type Pace, type Pause } from '../flow.js'
import { groupKey } from './group.js'

/** MongoDB's limit on generated documents (internalQueryMaxAllowedDensifyDocs). */
const MAX_GENERATED = 500_000

interface Plan {
  field: string[]
  partitions: string[][]
  /** The value `steps` steps after another. */
  after: (start: unknown, steps: number) => unknown
  bounds: 'full' | 'partition' | [unknown, unknown]
}

function parseDensify (spec: unknown): Plan {
  if (!isDocument(spec)) throw new CommandError(5733201, `The $densify stage specification must be an object, found ${typeNameOf(spec)}`)
  const { field, partitionByFields = [], range } = spec
  if (typeof field !== 'string') throw new CommandError(40414, "BSON field '$densify.field' is missing but a required field")
  if (!isDocument(range)) throw new CommandError(40414, "BSON field '$densify.range' is missing but a required field")
  const { step, bounds, unit } = range
  if (!isNumeric(step) || toNumber(step) <= 0) throw new CommandError(5733401, 'The step parameter in a range statement must be a strictly positive numeric value')
  const kind = unit === undefined ? undefined : parseUnit('$densify', unit)
  if (kind !== undefined && toInteger(step) === undefined) throw new CommandError(6586400, 'The step parameter in a range statement must be a whole number when densifying a date range')
  if (!Array.isArray(partitionByFields)) throw failedToParse('partitionByFields must be an array')
  return {
    field: splitFieldPath(field),
    partitions: partitionByFields.map(name => splitFieldPath(String(name))),
    after: (start, steps) => advance(start, step, steps, kind),
    bounds: parseBounds(bounds, kind)
  }
}

function parseBounds (bounds: unknown, unit: Unit | undefined): Plan['bounds'] {
  if (bounds === 'full' || bounds === 'partition') return bounds
  if (!Array.isArray(bounds) || bounds.length !== 2) throw new CommandError(5946800, "Bounds must be 'full', 'partition', or an array of two values")
  const [low, high] = bounds as [unknown, unknown]
  const dates = low instanceof Date && high instanceof Date
  if (!dates && !(isNumeric(low) && isNumeric(high))) throw new CommandError(5733406, 'A bounding array must contain either both dates or both numeric types')
  if (dates && unit === undefined) throw new CommandError(5733410, 'A bounding array of dates must specify a unit')
  if (!dates && unit !== undefined) throw new CommandError(5733409, 'A bounding array must be an ascending array of numbers if no unit is given')
  return [low, high]
}

function advance (start: unknown, step: unknown, steps: number, unit: Unit | undefined): unknown {
  if (start instanceof Date) {
    if (unit === undefined) throw new CommandError(6053600, 'Encountered date value in collection, but the step has no unit')
    return new Date(addUnits(start.getTime(), unit, (toInteger(step) ?? 1) * steps, timeZone(undefined)))
  }
  if (unit !== undefined) throw new CommandError(6053600, 'Encountered non-date value in collection when step has a date unit.')
  if (!isNumeric(start)) throw new CommandError(5733201, 'Densify field type must be numeric or a date')
  return add(start, multiply(step, wrapInteger(steps)))
}

/** `$densify`: adds documents so that a field has no gaps; documents without the field pass as they are. */
export const densifyStage: StageFactory = (spec, { pace }) => {
  const plan = parseDensify(spec)
  return function * (input) {
    const partitions = new Map<string, Partition>()
    for (const doc of input) {
      if (doc === PAUSE || isNullish(valueAtPath(doc, plan.field))) {
        yield doc
        continue
      }
      const values = plan.partitions.map(path => valueAtPath(doc, path) ?? null)
      const key = groupKey(values, undefined)
      const present = partitions.get(key)
      if (present === undefined) {
        const template = plan.partitions.reduce<Document>((made, path, index) => withValueAt(made, path, values[index]), {})
        partitions.set(key, { template, documents: [doc] })
      } else {
        present.documents.push(doc)
      }
    }
    yield * densifyPartitions(partitions, plan, pace)
  }
}

function isNullish (value: unknown): boolean {
  return value === null || value === undefined
}

interface Partition { template: Document, documents: Document[] }

function * densifyPartitions (partitions: Map<string, Partition>, plan: Plan, pace: Pace): Generator<Item> {
  const valueOf = (doc: Document | undefined) => doc === undefined ? undefined : valueAtPath(doc, plan.field)
  for (const partition of partitions.values()) partition.documents = yield * sortByField(partition.documents, valueOf, pace)
  if (partitions.size === 0 && Array.isArray(plan.bounds) && plan.partitions.length === 0) partitions.set('', { template: {}, documents: [] })
  const everything = [...partitions.values()]
  const lows = everything.map(({ documents }) => valueOf(documents[0])).sort((a, b) => compareValues(a, b))
  const highs = everything.map(({ documents }) => valueOf(documents.at(-1))).sort((a, b) => compareValues(a, b))
  const budget = { left: MAX_GENERATED }
  for (const { template, documents } of everything) {
    const [low, high] = plan.bounds === 'full' ? [lows[0], highs.at(-1)] : plan.bounds === 'partition' ? [valueOf(documents[0]), valueOf(documents.at(-1))] : plan.bounds
    for (const doc of fillGaps(template, documents, { low, high, inclusive: plan.bounds === 'full' }, plan, budget)) {
      if (pace.isOver()) yield PAUSE
      yield doc
    }
  }
}

function * sortByField (documents: Document[], valueOf: (doc: Document) => unknown, pace: Pace): Generator<Pause, Document[]> {
  const sorter = new Sorter<Document, Document>({ keys: [valueOf], directions: [1], collation: undefined })
  for (const doc of documents) {
    if (pace.isOver()) yield PAUSE
    sorter.add(doc, doc)
  }
  sorter.finish()
  return yield * mapPaced(documents, pace, () => sorter.next()!)
}

interface Gap { low: unknown, high: unknown, inclusive: boolean }

function * fillGaps (template: Document, documents: Document[], { low, high, inclusive }: Gap, plan: Plan, budget: { left: number }): Iterable<Document> {
  let steps = 0
  let next = low
  const within = () => inclusive ? compareValues(next, high) <= 0 : compareValues(next, high) < 0
  const generate = (): Document => {
    if (--budget.left < 0) throw new CommandError(5897900, `Generated ${MAX_GENERATED + 1} documents in $densify, which is over the limit of ${MAX_GENERATED}. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents`)
    const doc = withValueAt(template, plan.field, next)
    next = plan.after(low, ++steps)
    return doc
  }
  for (const doc of documents) {
    const value = valueAtPath(doc, plan.field)
    while (within() && compareValues(next, value) < 0) yield generate()
    if (compareValues(next, value) === 0) next = plan.after(low, ++steps)
    yield doc
  }
  while (within()) yield generate()
}
