// Many clients in a process of their own, driven over IPC: see swarm-process.ts.
import { WebSocket } from 'ws'
import { connect, type Client } from '../../src/client/index.js'
import type { SwarmCommand, SwarmReport } from './swarm-process.js'

const sockets = new Set<WebSocket>()

class TrackedSocket extends WebSocket {
  constructor (url: string, protocols?: string[]) {
    super(url, protocols)
    sockets.add(this)
    this.once('close', () => sockets.delete(this))
  }
}

interface Member { client: Client, seen: Map<string, number[]>, unrecovered: number, reconnects: number, dropped: number }

const members: Member[] = []
let live = 0
let ended = 0
let disruption: NodeJS.Timeout | undefined

const report = (message: SwarmReport) => { process.send?.(message) }

/** The number that a message carries, wherever its channel has it. */
function numberOf (data: unknown): number | undefined {
  const { n, values, document } = data as { n?: number, values?: { n?: number }, document?: { n?: number } }
  return n ?? values?.n ?? document?.n
}

function open ({ url, key, clients, channels }: Extract<SwarmCommand, { do: 'open' }>): void {
  for (let index = 0; index < clients; index++) {
    const client = connect(url, { key, WebSocket: TrackedSocket })
    const member: Member = { client, seen: new Map(), unrecovered: 0, reconnects: 0, dropped: 0 }
    members.push(member)
    let before = false
    let subscribed = 0
    client.on('state', ({ state }) => {
      if (state === 'live') member.reconnects++
      else if (before) live--
      before = state === 'live'
      if (before) live++
      report({ live, subscribed: 0, ended })
    })
    for (const channel of channels) {
      const numbers: number[] = []
      member.seen.set(channel, numbers)
      const subscription = client.channel<unknown>(channel)
      let known = false
      const begin = () => {
        if (known) return
        known = true
        if (++subscribed === channels.length) report({ live, subscribed: 1, ended })
      }
      subscription.on('snapshot', begin)
      subscription.on('recovered', ({ recovered }) => { if (!recovered) member.unrecovered++ })
      subscription.on('dropped', ({ count }) => { member.dropped += count })
      subscription.on('message', ({ data }) => {
        const number = numberOf(data)
        if (number === undefined) return
        numbers.push(number)
        // The last message of a channel has a number below nought.
        if (number < 0) report({ live, subscribed: 0, ended: ++ended })
      })
    }
  }
}

/** Cuts a client now and then, as a bad network does. */
function disrupt (interval: number): void {
  clearInterval(disruption)
  if (interval === 0) return
  disruption = setInterval(() => {
    const all = [...sockets]
    all[Math.floor(Math.random() * all.length)]?.terminate()
  }, interval)
}

function judge (expected: Record<string, number[]>): void {
  const faults: string[] = []
  for (const [index, { seen }] of members.entries()) {
    for (const [channel, numbers] of Object.entries(expected)) {
      const got = seen.get(channel) ?? []
      const place = numbers.findIndex((number, at) => got[at] !== number)
      if (place === -1 && got.length === numbers.length) continue
      faults.push(`client ${index}, ${channel}: ${got.length} of ${numbers.length}, differs at ${place}: ${got.slice(place - 2, place + 4).join()} where ${numbers.slice(place - 2, place + 4).join()} was published`)
    }
  }
  const sum = (pick: (member: Member) => number) => members.reduce((total, member) => total + pick(member), 0)
  report({
    faults: faults.slice(0, 10),
    reconnects: sum(({ reconnects }) => reconnects) - members.length,
    unrecovered: sum(({ unrecovered }) => unrecovered),
    dropped: sum(({ dropped }) => dropped)
  })
}

process.on('message', (command: SwarmCommand) => {
  if (command.do === 'open') open(command)
  else if (command.do === 'disrupt') disrupt(command.interval)
  else judge(command.expected)
})
process.on('disconnect', () => process.exit())
