// How fast each tool is. Rounds alternate between the tools; medians count, and ratios are of the same round.
import { join } from 'node:path'
import { median } from '../../driver/quantiles.ts'
import { LineWorker, TooSlow } from './line-worker.ts'
import type { Peer } from './peers.ts'
import { chatMessages, hostileTexts } from './texts.ts'

const root = join(import.meta.dirname, '../../..')
/** For all tools: the slowest of them needs a second for it. */
const COMPARED_UNITS = 64 * 1024
/** For Sallyport alone: enough to be measured. */
const OWN_UNITS = 1024 * 1024
const PROMPT_UNITS = 500 * 1024
const HOSTILE_UNITS = 256 * 1024
const PEER_HOSTILE_UNITS = 16 * 1024
const ROUND_MS_MAX = 60_000
const HOSTILE_MS_MAX = 20_000

interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface OwnSpeed {
  readonly blocksMBps: number
  readonly eventsMBps: number
  readonly hostileBlocksMBps: Readonly<Record<string, number>>
  readonly hostileEventsMBps: Readonly<Record<string, number>>
  readonly longestTurnMs: number
  readonly pushUs: Quantiles
  readonly heldUnits: Quantiles
}

export interface ComparedSpeed {
  readonly name: string
  readonly messagesMBps: number
  /** How many times faster Sallyport is, in the same round. */
  readonly ratio: number
  /** The slowest hostile text; MB/s of it, or undefined when it was not done in time. */
  readonly slowestHostile: { readonly text: string; readonly MBps: number | undefined }
}

const sallyport = (): LineWorker =>
  new LineWorker({ command: process.execPath, args: ['scripts/redaction-worker.ts'], cwd: root })

const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0)
const rate = (texts: readonly string[], ms: number): number => bytesOf(texts) / 1e6 / (ms / 1_000)

interface Events {
  readonly ms: number
  readonly pushUs: Quantiles
  readonly held: Quantiles
}

const medianOf = (all: readonly Quantiles[]): Quantiles => ({
  p50: median(all.map(({ p50 }) => p50)),
  p99: median(all.map(({ p99 }) => p99)),
  max: median(all.map(({ max }) => max)),
})

export async function measureSallyport(rounds: number, progress: (text: string) => void): Promise<OwnSpeed> {
  const worker = sallyport()
  try {
    const chat = chatMessages(OWN_UNITS)
    // One text, so that what opening a window costs is not measured: messages are compared with the peers.
    const blocks = [chat.join('\n')]
    const time = async (texts: readonly string[]): Promise<number> => {
      const taken: number[] = []
      for (let round = 0; round <= rounds; round++)
        taken.push((await worker.ask<{ ms: number }>({ op: 'time', texts }, ROUND_MS_MAX)).ms)
      return rate(texts, median(taken.slice(1)))
    }
    const streams: Events[] = []
    for (let round = 0; round <= rounds; round++)
      streams.push(await worker.ask<Events>({ op: 'events', texts: chat, size: 4 }, ROUND_MS_MAX))
    const warm = streams.slice(1)
    progress('sallyport: chat measured')
    const hostile = Object.entries(hostileTexts(HOSTILE_UNITS))
    const [hostileBlocks, hostileEvents]: Record<string, number>[] = [{}, {}]
    for (const [name, text] of hostile) {
      ;(hostileBlocks as Record<string, number>)[name] = await time([text])
      const { ms } = await worker.ask<Events>({ op: 'events', texts: [text], size: 4 }, ROUND_MS_MAX)
      ;(hostileEvents as Record<string, number>)[name] = rate([text], ms)
    }
    progress('sallyport: hostile texts measured')
    const turns: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const text = (blocks[0] as string).slice(0, PROMPT_UNITS)
      turns.push(
        (await worker.ask<{ longestMs: number }>({ op: 'turns', texts: [text] }, ROUND_MS_MAX)).longestMs,
      )
    }
    return {
      blocksMBps: await time(blocks),
      eventsMBps: rate(chat, median(warm.map(({ ms }) => ms))),
      hostileBlocksMBps: hostileBlocks as Record<string, number>,
      hostileEventsMBps: hostileEvents as Record<string, number>,
      longestTurnMs: median(turns.slice(1)),
      pushUs: medianOf(warm.map(({ pushUs }) => pushUs)),
      heldUnits: medianOf(warm.map(({ held }) => held)),
    }
  } finally {
    worker.stop()
  }
}

/** Short messages, one by one, as all tools take them; then the hostile texts, each with a time limit. */
export async function compareSpeed(
  peers: readonly Peer[],
  rounds: number,
  progress: (text: string) => void,
): Promise<ComparedSpeed[]> {
  const own = { name: 'sallyport', worker: sallyport() }
  const sides = [own, ...peers]
  try {
    const texts = chatMessages(COMPARED_UNITS)
    const taken = new Map(sides.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round <= rounds; round++) {
      for (const { name, worker } of sides) {
        const { ms } = await worker.ask<{ ms: number }>({ op: 'time', texts }, ROUND_MS_MAX)
        if (round > 0) taken.get(name)?.push(ms)
      }
      progress(`messages: round ${round} of ${rounds}${round === 0 ? ' (to warm up)' : ''}`)
    }
    const ownTimes = taken.get(own.name) as number[]
    const compared: ComparedSpeed[] = []
    for (const { name, worker } of sides) {
      const times = taken.get(name) as number[]
      const slowestHostile = await slowest(worker)
      progress(`${name}: hostile texts, slowest ${slowestHostile.text}`)
      const ratio = median(times.map((ms, round) => ms / (ownTimes[round] as number)))
      compared.push({ name, messagesMBps: rate(texts, median(times)), ratio, slowestHostile })
    }
    return compared
  } finally {
    own.worker.stop()
  }
}

async function slowest(worker: LineWorker): Promise<ComparedSpeed['slowestHostile']> {
  let found: { text: string; MBps: number | undefined } = { text: '', MBps: Number.POSITIVE_INFINITY }
  for (const [name, text] of Object.entries(hostileTexts(PEER_HOSTILE_UNITS))) {
    try {
      const { ms } = await worker.ask<{ ms: number }>({ op: 'time', texts: [text] }, HOSTILE_MS_MAX)
      const MBps = rate([text], ms)
      if (MBps < (found.MBps ?? 0)) found = { text: name, MBps }
    } catch (error) {
      if (!(error instanceof TooSlow)) throw error
      return { text: `${name}, not done in ${HOSTILE_MS_MAX / 1_000} s`, MBps: undefined }
    }
  }
  return found
}

/** Every way to cut a text into events must give what the whole text gives. */
export async function checkSplits(
  corpora: readonly (readonly string[])[],
): Promise<{ checked: number; different: number }> {
  const worker = sallyport()
  try {
    const total = { checked: 0, different: 0 }
    for (const texts of corpora) {
      const { checked, different } = await worker.ask<typeof total>({ op: 'splits', texts }, 600_000)
      total.checked += checked
      total.different += different
    }
    return total
  } finally {
    worker.stop()
  }
}
