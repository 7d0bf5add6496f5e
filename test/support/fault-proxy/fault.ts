/** What can be wrong with one direction of a connection, in toxiproxy's words, and the stage that makes it so. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

export type Fault =
  | { readonly kind: 'latency'; readonly latencyMs: number; readonly jitterMs?: number }
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** The end of the direction is passed on this much later. */
  | { readonly kind: 'slow_close'; readonly delayMs: number }
  /** What comes after so many bytes is taken and lost. The connection closes after `timeoutMs`, without it never. */
  | { readonly kind: 'timeout'; readonly afterBytes?: number; readonly timeoutMs?: number }
  /** Both sides get an RST; `delayMs` lets what was passed be read before it. */
  | { readonly kind: 'reset_peer'; readonly afterBytes: number; readonly delayMs?: number }
  | {
      readonly kind: 'slicer'
      readonly bytes: number
      /** A slice has up to so many bytes more or less. */
      readonly variation?: number
      readonly delayMs?: number
    }
  /** After so many bytes the connection closes properly, in both directions. */
  | { readonly kind: 'limit_data'; readonly bytes: number }
  /** After so many bytes this direction ends with a FIN; the other one goes on. */
  | { readonly kind: 'half_close'; readonly afterBytes: number }

type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>

/** What a stage may do to the connection that it works on. */
export interface Link {
  /** Aborts when the caller has left or the connection is over: waits end then. */
  readonly over: AbortSignal
  readonly random: () => number
  /** Ends this direction alone. */
  finish(): void
  close(): void
  reset(): void
}

type Bytes = AsyncIterable<Buffer>

/** Sleeps, but no longer than the connection lives. */
const pause = (ms: number, { over }: Link): Promise<void> =>
  sleep(ms, undefined, { signal: over }).catch(() => {})

/** Until the connection is over. */
const forever = ({ over }: Link): Promise<void> =>
  over.aborted
    ? Promise.resolve()
    : new Promise((resolve) => over.addEventListener('abort', () => resolve(), { once: true }))

async function* latency(source: Bytes, fault: FaultOf<'latency'>, link: Link): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const jitterMs = (fault.jitterMs ?? 0) * (link.random() * 2 - 1)
    await pause(Math.max(0, fault.latencyMs + jitterMs), link)
    yield chunk
  }
}

const TICKS_PER_SECOND = 20

async function* bandwidth(source: Bytes, { bytesPerSecond }: FaultOf<'bandwidth'>, link: Link) {
  const size = Math.max(1, Math.floor(bytesPerSecond / TICKS_PER_SECOND))
  for await (const chunk of source) {
    for (const piece of pieces(chunk, () => size)) {
      await pause((piece.length / bytesPerSecond) * 1_000, link)
      yield piece
    }
  }
}

async function* slicer(source: Bytes, fault: FaultOf<'slicer'>, link: Link) {
  const { bytes, variation = 0, delayMs = 0 } = fault
  const size = (): number => Math.max(1, Math.round(bytes + variation * (link.random() * 2 - 1)))
  for await (const chunk of source) {
    for (const piece of pieces(chunk, size)) {
      yield piece
      // Without a delay, too, the next slice must not share a packet with this one.
      if (delayMs === 0) await turn()
      else await pause(delayMs, link)
    }
  }
}

function* pieces(chunk: Buffer, size: () => number): Generator<Buffer> {
  for (let at = 0; at < chunk.length; ) {
    const end = at + size()
    yield chunk.subarray(at, end)
    at = end
  }
}

async function* slowClose(source: Bytes, { delayMs }: FaultOf<'slow_close'>, link: Link) {
  yield* source
  await pause(delayMs, link)
}

/**
 * The first bytes; then `act`, once, while the rest is still read, so that the end of the source is seen. Returns whether
 * there were so many.
 */
async function* upTo(source: Bytes, count: number, act: () => void): AsyncGenerator<Buffer, boolean> {
  let left = count
  let acted = false
  const once = (): void => {
    if (!acted) act()
    acted = true
  }
  if (left === 0) once()
  for await (const chunk of source) {
    if (left > 0) yield chunk.subarray(0, left)
    left = Math.max(0, left - chunk.length)
    if (left === 0) once()
  }
  return acted
}

async function* timeout(source: Bytes, fault: FaultOf<'timeout'>, link: Link) {
  const { afterBytes = 0, timeoutMs } = fault
  const stalled = yield* upTo(source, afterBytes, () => {
    if (timeoutMs !== undefined) pause(timeoutMs, link).then(() => link.close())
  })
  // The end of the direction is lost like its bytes.
  if (stalled) await forever(link)
}

async function* resetPeer(source: Bytes, fault: FaultOf<'reset_peer'>, link: Link) {
  const { afterBytes, delayMs = 0 } = fault
  const due = yield* upTo(source, afterBytes, () => void pause(delayMs, link).then(() => link.reset()))
  // A FIN must not be faster.
  if (due) await forever(link)
}

const limitData = (source: Bytes, { bytes }: FaultOf<'limit_data'>, link: Link) =>
  upTo(source, bytes, () => link.close())

const halfClose = (source: Bytes, { afterBytes }: FaultOf<'half_close'>, link: Link) =>
  upTo(source, afterBytes, () => link.finish())

/** The bytes as they are after the fault. */
export function stage(source: Bytes, fault: Fault, link: Link): Bytes {
  switch (fault.kind) {
    case 'latency':
      return latency(source, fault, link)
    case 'bandwidth':
      return bandwidth(source, fault, link)
    case 'slow_close':
      return slowClose(source, fault, link)
    case 'timeout':
      return timeout(source, fault, link)
    case 'reset_peer':
      return resetPeer(source, fault, link)
    case 'slicer':
      return slicer(source, fault, link)
    case 'limit_data':
      return limitData(source, fault, link)
    case 'half_close':
      return halfClose(source, fault, link)
  }
}
