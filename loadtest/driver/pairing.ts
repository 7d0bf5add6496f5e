// What lies between two processes that share a clock: what the model server stamped, beside what the client stamped.
import type { SentCall } from './sent-log.ts'
import { type Received, textOf } from './timed-client.ts'
import { tokenArrivals } from './token-arrivals.ts'

export interface WholeTimes {
  /** The call without the time that the model server had it: the way there and the way back. */
  readonly outsideMs: number
}

export interface StreamTimes {
  /** From the start of the call to its first token, without the time that the model server took for it. */
  readonly firstTokenMs: number
  /** Of each token but the first: how much longer its gap was at the client than at the server. Below 0: it caught up. */
  readonly gapsMs: readonly number[]
  /** Of each token: from the server's write to the client's read. */
  readonly delaysMs: readonly number[]
}

/** Throws an Error when the two do not belong together. */
export function pairWhole(received: Received, sent: SentCall): WholeTimes {
  const lastMs = sent.sentMs.at(-1)
  if (lastMs === undefined) throw new Error(`call ${sent.id}: the server sent nothing`)
  return { outsideMs: received.endedMs - received.startedMs - (lastMs - sent.arrivedMs) }
}

/** Throws an Error when the stream did not say `tokens`, or the server sent another number of them. */
export function pairStream(received: Received, sent: SentCall, tokens: readonly string[]): StreamTimes {
  const arrivals = tokenArrivals(received.receipts, tokens)
  if (sent.sentMs.length !== arrivals.length)
    throw new Error(`call ${sent.id}: ${sent.sentMs.length} tokens sent, ${arrivals.length} arrived`)
  const [firstArrival = Number.NaN] = arrivals
  const [firstSent = Number.NaN] = sent.sentMs
  const delaysMs = arrivals.map((atMs, n) => atMs - (sent.sentMs[n] as number))
  return {
    firstTokenMs: firstArrival - received.startedMs - (firstSent - sent.arrivedMs),
    // (client gap) - (server gap) is the difference of two delays.
    gapsMs: delaysMs.slice(1).map((delay, n) => delay - (delaysMs[n] as number)),
    delaysMs,
  }
}

/** Why a call is not measured; `undefined` when it can be. */
export function faultOf(received: Received, sent: SentCall | undefined): string | undefined {
  if (received.fault !== undefined) return `${received.fault} ${textOf(received).slice(0, 120)}`.trim()
  return sent === undefined ? 'the model server knows nothing of it' : undefined
}
