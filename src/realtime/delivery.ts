import type { StoredPublication } from './broker.js'
import { channelRule, type ChannelRule } from './channels.js'
import { frameBytes, frameText, writeFrame, type Frame } from './frame.js'

/** How a dialect writes a publication. */
export type View = 'data' | 'plain'

/** What may be folded with others of its key when a client is slow. */
export interface Foldable { publication: StoredPublication, rule: ChannelRule, key: string, view: View }

/** A message for one or many clients; encoded and framed when it is first written. */
export class Delivery {
  /** Bytes, as far as known before it is framed. */
  readonly size: number
  /** Undefined for what is never shed: replies, errors, alerts, and messages that stand for themselves. */
  readonly foldable: Foldable | undefined
  /** Goes to one client only: it is framed where it is written. */
  readonly #isOwn: boolean
  #text: string | null
  #frame: Frame | null = null

  constructor (text: string, foldable?: Foldable, isOwn = false) {
    this.#text = text
    this.size = text.length
    this.foldable = foldable
    this.#isOwn = isOwn
  }

  /** A reply, or whatever else only one client gets. */
  static own (text: string): Delivery {
    return new Delivery(text, undefined, true)
  }

  /** The frames of many, one after the other. */
  static join (deliveries: readonly Delivery[]): Buffer {
    const lengths = deliveries.map((delivery) => delivery.#isOwn && delivery.#text !== null ? Buffer.byteLength(delivery.#text) : -1)
    let size = 0
    for (let index = 0; index < deliveries.length; index++) {
      const length = lengths[index] as number
      size += length === -1 ? (deliveries[index] as Delivery).frame.buffer.length : frameBytes(length)
    }
    const joined = Buffer.allocUnsafe(size)
    let at = 0
    for (let index = 0; index < deliveries.length; index++) {
      const delivery = deliveries[index] as Delivery
      const length = lengths[index] as number
      if (length === -1) at += delivery.frame.buffer.copy(joined, at)
      else at = writeFrame(joined, at, delivery.#text as string, length)
    }
    return joined
  }

  get frame (): Frame {
    if (this.#frame) return this.#frame
    this.#frame = frameText(this.#text ?? '')
    this.#text = null
    return this.#frame
  }

  /** The one delivery that stands for two of the same key. */
  static fold (older: Foldable, newer: Foldable): Delivery {
    const data = newer.rule.conflation?.merge(older.publication.data, newer.publication.data)
    const publication = { ...newer.publication, data }
    return new Delivery(writePublication(publication, newer.rule, newer.view, JSON.stringify(data)), { ...newer, publication })
  }
}

interface Written { json: string | null, data: Delivery | null, plain: Delivery | null, bytes: number }

// What was written last is kept, so that many who resume at once share the frames too. Not for as long as a message is in
// history: each frame would hold on to the 8 KiB that Node allots buffers in.
const MOST_WRITTEN = 4096
const MOST_BYTES = 4 * 1024 * 1024
const written = new Map<StoredPublication, Written>()
let writtenBytes = 0

/** The delivery of a publication in a dialect, made once for all its receivers. */
export function deliveryOf (publication: StoredPublication, view: View, rule = channelRule(publication.channel)): Delivery {
  const forms = written.get(publication) ?? remember(publication)
  const known = forms[view]
  if (known) return known
  const json = forms.json ?? JSON.stringify(publication.data) ?? 'null'
  // Kept for the other view, where there is one.
  if (rule.plain !== 'none') forms.json = json
  const text = writePublication(publication, rule, view, json)
  const foldable = rule.conflation && !rule.neverShed
    ? { publication, rule, key: `${publication.channel}\n${rule.conflation.key(publication.data)}`, view }
    : undefined
  const delivery = new Delivery(text, foldable)
  forms[view] = delivery
  forms.bytes += text.length
  writtenBytes += text.length
  if (writtenBytes > MOST_BYTES) forgetOldest()
  return delivery
}

function remember (publication: StoredPublication): Written {
  if (written.size >= MOST_WRITTEN) forgetOldest()
  const forms: Written = { json: null, data: null, plain: null, bytes: 0 }
  written.set(publication, forms)
  return forms
}

function forgetOldest (): void {
  for (const [publication, { bytes }] of written) {
    written.delete(publication)
    writtenBytes -= bytes
    if (written.size < MOST_WRITTEN && writtenBytes <= MOST_BYTES) return
  }
}

function writePublication ({ channel, cursor, ts }: StoredPublication, rule: ChannelRule, view: View, json: string): string {
  if (view === 'data') return `{"type":"data","channel":${JSON.stringify(channel)},"cursor":"${cursor}","ts":"${new Date(ts).toISOString()}","data":${json}}`
  return rule.plain === 'envelope' ? json : `{"type":${JSON.stringify(channel)},"data":${json}}`
}
