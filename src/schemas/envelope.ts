import { Type, type Static, type TSchema } from 'typebox'

/** `{success: true, data}`: every successful REST reply but the health checks. */
export const Success = <T extends TSchema>(data: T) => Type.Object({ success: Type.Literal(true), data })

/** A list reply: `nextCursor` is null on the last page. */
export const SuccessList = <T extends TSchema>(item: T) => Type.Object({
  success: Type.Literal(true),
  data: Type.Array(item),
  nextCursor: Type.Union([Type.String(), Type.Null()])
})

export const FieldErrorSchema = Type.Object({ path: Type.String(), message: Type.String() })

/** RFC 9457 problem details, with Pitwall's code and the faults of a body or query. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  success: Type.Literal(false),
  code: Type.String(),
  errors: Type.Optional(Type.Array(FieldErrorSchema))
}, { $id: 'Problem' })
export type Problem = Static<typeof Problem>

/** Verdict on a bulk body, item by item. */
export const BulkVerdict = Type.Object({
  accepted: Type.Integer({ minimum: 0 }),
  duplicates: Type.Integer({ minimum: 0 }),
  rejected: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String(), message: Type.String() }))
})
export type BulkVerdict = Static<typeof BulkVerdict>

/** Query of a list: page size, place to go on from, order. */
export const listQuery = (limitDefault = 50) => ({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: limitDefault })),
  cursor: Type.Optional(Type.String({ maxLength: 1024 })),
  sort: Type.Optional(Type.String({ maxLength: 100, pattern: '^-?[A-Za-z][A-Za-z0-9_]*$', description: 'Field to order by, descending with a leading -' }))
})
