/**
 * What a broken model server costs: fault -> what the caller gets, what is settled, what is recorded, what the end of the
 * call says about the endpoint. test/e2e/fault-*.test.ts makes each of them; docs/operations/upstream-faults.md shows the
 * table. Run as a program this writes the page anew; test/docs/upstream-faults.test.ts fails when the page is stale.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RefusalCode } from '../../src/refusal.ts'
import { readDocument, root } from './markdown.ts'

export interface FaultRow {
  /** A status and a code; an error event that ends a stream, without `[DONE]`; or a good reply, whole or streamed. */
  readonly caller: `${number} ${RefusalCode}` | `event ${RefusalCode}` | '200' | '[DONE]'
  /** `prompt`: its tokens; `what came`: prompt and output, by the server's report where it can be believed. */
  readonly settled: 'nothing' | 'prompt' | 'what came'
  /** Of the audit record and of `sallyport_requests_total`. */
  readonly outcome: 'completed' | 'upstream_error' | 'timeout' | 'refused'
  /** What the call's end says about its server. */
  readonly endpoint: 'answered' | 'failed' | 'overloaded'
}

const row = (
  caller: FaultRow['caller'],
  settled: FaultRow['settled'],
  outcome: FaultRow['outcome'],
  endpoint: FaultRow['endpoint'],
): FaultRow => ({ caller, settled, outcome, endpoint })

const unreachable = row('502 upstream_unavailable', 'nothing', 'upstream_error', 'failed')
const cutBefore = row('502 upstream_truncated', 'nothing', 'upstream_error', 'failed')
const cutWithin = row('event upstream_truncated', 'what came', 'upstream_error', 'failed')
const silent = row('504 upstream_timeout', 'prompt', 'timeout', 'failed')
const malformed = row('502 upstream_protocol', 'nothing', 'upstream_error', 'failed')
const tooLarge = row('502 upstream_reply_too_large', 'nothing', 'upstream_error', 'answered')
const wholeReply = row('200', 'what came', 'completed', 'answered')
const wholeStream = row('[DONE]', 'what came', 'completed', 'answered')
const full = row('503 upstream_overloaded', 'nothing', 'upstream_error', 'overloaded')
const failed = row('502 upstream_error', 'nothing', 'upstream_error', 'failed')
const refused = row('400 upstream_refused', 'nothing', 'refused', 'answered')

export const connectFaults = {
  'connection refused': unreachable,
  'packets vanish (black hole)': unreachable,
  'its name does not resolve': unreachable,
  'accepted, then not a byte': silent,
  'the server flaps: down': unreachable,
  'the server flaps: up': wholeReply,
} as const

export const tlsFaults = {
  'certificate expired': unreachable,
  'certificate not valid yet': unreachable,
  'certificate of another name': unreachable,
  'certificate of another authority': unreachable,
  'slow accept within connectMs': wholeReply,
  'slow accept beyond connectMs': unreachable,
  'TLS handshake stalls at its beginning': unreachable,
  'TLS handshake stalls in its middle': unreachable,
  'reset in the TLS handshake': unreachable,
  'no TLS where TLS is spoken': unreachable,
  'TLS handshake byte by byte': wholeReply,
  'a TLS record for each byte of a stream': wholeStream,
  'reset inside a TLS record': cutWithin,
} as const

export const brokenFaults = {
  'reset before the head': cutBefore,
  'reset inside the head': cutBefore,
  // The server was reading the prompt.
  'reset after the head': { ...cutBefore, settled: 'prompt' },
  'reset inside an event': cutWithin,
  'reset inside a character': cutWithin,
  'reset inside a whole reply': cutBefore,
  'half-close before the head': cutBefore,
  'half-close inside an event': cutWithin,
  'half-close after a whole reply': wholeReply,
  'closed inside an event': cutWithin,
  'no [DONE] and no reason to end': cutWithin,
  'no [DONE], and the connection stays open': row('event upstream_timeout', 'what came', 'timeout', 'failed'),
  'data after [DONE]': wholeStream,
  'no end of the body after [DONE]': wholeStream,
} as const

export const slowFaults = {
  'latency and jitter': wholeStream,
  'a stream byte by byte': wholeStream,
  'a head one byte at a time': silent,
  'a whole reply one byte at a time': row('504 stream_timeout', 'prompt', 'timeout', 'answered'),
  'a stream one byte at a time': row('event stream_timeout', 'what came', 'timeout', 'answered'),
  'stall between events': row('event upstream_timeout', 'what came', 'timeout', 'failed'),
  'stall inside an event': row('event upstream_timeout', 'what came', 'timeout', 'failed'),
  'stall inside a whole reply': silent,
  '100 early hints, then a reply': wholeReply,
  'early hints without end': silent,
  '200 early hints at once': malformed,
  'an end of the connection that comes late': wholeReply,
} as const

export const sizeFaults = {
  'event of 2 MiB': row('event upstream_protocol', 'what came', 'upstream_error', 'failed'),
  'line of 10 GiB': row('event upstream_protocol', 'what came', 'upstream_error', 'failed'),
  'whole reply of 10 GiB': tooLarge,
  'stream of 10 GiB without text': row(
    '502 upstream_reply_too_large',
    'prompt',
    'upstream_error',
    'answered',
  ),
  'stream of 10 GiB with text': row(
    'event upstream_reply_too_large',
    'what came',
    'upstream_error',
    'answered',
  ),
  'error body of 10 GiB': failed,
  '10 GiB after [DONE]': wholeStream,
  '16 MiB after the announced length': wholeReply,
} as const

export const junkFaults = {
  'status 226': malformed,
  'status 304': malformed,
  'status 402': failed,
  'status 408': row('504 upstream_timeout', 'prompt', 'timeout', 'failed'),
  'status 418': failed,
  'status 421': failed,
  'status 504': row('504 upstream_timeout', 'prompt', 'timeout', 'failed'),
  'status 507': failed,
  'status 529': full,
  'status 599': failed,
  'status 600': malformed,
  'retry-after: 0': full,
  'retry-after: 1e9': full,
  'retry-after: 1000000000': full,
  'retry-after: a date': full,
  'retry-after: junk': full,
  'retry-after: -1': full,
  'retry-after: twice': full,
  'wrong content type': malformed,
  'content type twice': malformed,
  'compression nobody asked for': malformed,
  'compressed error body': refused,
  'a stream in another charset': cutWithin,
  'the same id in every event of two calls': wholeStream,
  'an id of another kind': wholeStream,
  'two choices with one index': malformed,
} as const

export const usageFaults = {
  'usage missing': wholeStream,
  'usage negative': wholeStream,
  'usage 1e30': wholeStream,
  'usage as text': wholeStream,
  'usage too small': wholeStream,
  'usage above what was reserved': wholeStream,
  'usage of a whole reply missing': wholeReply,
  'usage of a whole reply 1e30': wholeReply,
} as const

export const faultThemes = {
  'Reaching the server': connectFaults,
  TLS: tlsFaults,
  'Broken off': brokenFaults,
  'Slow or silent': slowFaults,
  'Too large': sizeFaults,
  'Statuses, headers, ids': junkFaults,
  Usage: usageFaults,
} as const

export const faultMatrix = {
  ...connectFaults,
  ...tlsFaults,
  ...brokenFaults,
  ...slowFaults,
  ...sizeFaults,
  ...junkFaults,
  ...usageFaults,
} as const

export type FaultName = keyof typeof faultMatrix

export const page = 'docs/operations/upstream-faults.md'
const mark = '<!-- made by test/support/fault-matrix.ts -->\n'

const lineOf = ([fault, { caller, settled, outcome, endpoint }]: [string, FaultRow]): string =>
  `| ${fault} | ${callerCell(caller)} | ${settled} | \`${outcome}\` | ${endpoint} |`

function callerCell(caller: FaultRow['caller']): string {
  if (caller === '200') return 'the reply'
  if (caller === '[DONE]') return 'the stream, `[DONE]`'
  const [first, code] = caller.split(' ')
  return first === 'event' ? `error event \`${code}\`` : `${first} \`${code}\``
}

const tables = (): string =>
  Object.entries(faultThemes)
    .map(([theme, rows]) =>
      [
        `### ${theme}`,
        '',
        '| Fault | The caller gets | Settled | Recorded | Endpoint |',
        '|---|---|---|---|---|',
        ...Object.entries(rows).map(lineOf),
        '',
      ].join('\n'),
    )
    .join('\n')

/** The page as it must be: what is above the mark stays. */
export const rewritten = (markdown: string): string => {
  const [above, below] = markdown.split(mark)
  if (below === undefined) throw new Error(`${page} has lost its mark`)
  return `${above}${mark}\n${tables()}`
}

if (import.meta.main) writeFileSync(join(root, page), rewritten(readDocument(page)))
