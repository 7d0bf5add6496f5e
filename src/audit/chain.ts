/**
 * The hash chain, as functions of bytes. Invariants:
 *
 * 1. line = canonical(record) + '\n', and record.hash = SHA-256(canonical(record without `hash`)) in
 *    lower-case hex.
 * 2. record.prev is the hash of the record before it, record.seq is one more than that record's.
 * 3. One record is one line: canonical JSON escapes every control character, so no field can start a line.
 * 4. Every string value has at most `stringUnitsMax` UTF-16 units and every line at most `recordBytesMax`
 *    bytes.
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'

import { canonicalMembers, joinMembers, type Member } from './canonical.ts'
import type { AuditEvent, AuditRecord, AuditValue } from './record.ts'

/** Longest line of the format, its newline not counted. */
export const recordBytesMax = 16_384
/** Longest string value; what is longer is cut and ends in an ellipsis. */
export const stringUnitsMax = 512
/** Room for `v`, `seq`, `prev` and `hash` in a line. */
const chainBytesMax = 256

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const hashForm = /^[0-9a-f]{64}$/

export interface Position {
  readonly seq: number
  readonly hash: string
}

/** The position before the first record. */
export const genesis: Position = { seq: 0, hash: '0'.repeat(64) }

/** Reads `seq:hash`, the way a head is noted outside the log. */
export function positionFrom(text: string): Position | undefined {
  const [seq, digest, ...rest] = text.split(':')
  if (rest.length > 0 || !/^[1-9]\d{0,14}$/.test(seq ?? '') || !hashForm.test(digest ?? '')) return undefined
  return { seq: Number(seq), hash: String(digest) }
}

/**
 * An event ready to be sealed: copied, bounded, written out field by field. Later changes to the event do not
 * reach it.
 */
export interface Draft {
  readonly event: AuditEvent
  /** The members in canonical order, joined: those before `hash`, before `prev`, before `seq`, before `v`, and the rest. */
  readonly stretches: readonly string[]
  /** At least the length of the line that comes of it. */
  readonly bytesMax: number
}

export interface Sealed {
  readonly record: AuditRecord
  readonly line: string
}

/** What the log adds to an event, in canonical order. */
const chainKeys = ['hash', 'prev', 'seq', 'v'] as const

function boundedString(text: string): string {
  const short = text.length > stringUnitsMax ? `${text.slice(0, stringUnitsMax - 1)}…` : text
  return short.toWellFormed()
}

/**
 * What comes from outside is cut to size instead of refused: a long user agent must not keep a record out of
 * the log.
 */
function bounded(value: AuditValue | undefined): AuditValue | undefined {
  if (typeof value === 'string') return boundedString(value)
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map((item) => bounded(item as AuditValue) as AuditValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, bounded(field)]))
}

/**
 * Copies and bounds an event. Throws a TypeError for an event that cannot be recorded: that is a bug of the
 * writer.
 */
export function draftOf(event: AuditEvent): Draft {
  if (!timeForm.test(event.time))
    throw new TypeError('audit event: time is not RFC 3339 with milliseconds in UTC')
  if (chainKeys.some((key) => Object.hasOwn(event, key))) {
    throw new TypeError('audit event: v, seq, prev and hash belong to the log')
  }
  const copy = bounded(event) as AuditEvent
  const members = canonicalMembers(copy)
  const stretches = stretchesOf(members)
  const bytesMax = stretches.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, chainBytesMax)
  if (bytesMax > recordBytesMax) throw new TypeError(`audit event: larger than ${recordBytesMax} bytes`)
  return { event: copy, stretches, bytesMax }
}

/** Sorted once, when the event comes: a record is sealed while others wait for it. */
function stretchesOf(members: readonly Member[]): readonly string[] {
  const texts: string[][] = [[], [], [], [], []]
  for (const { key, text } of members) {
    const next = chainKeys.findIndex((own) => key < own)
    texts.at(next)?.push(text)
  }
  return texts.map((stretch) => stretch.join(','))
}

const digestOf = (text: string): string => hash('sha256', text, 'hex')

/** Gives a draft its place in the log: the record that follows `after`, and its line with the newline. */
export function seal({ event, stretches }: Draft, after: Position): Sealed {
  const seq = after.seq + 1
  const [first = '', ...rest] = stretches
  const behind = between(rest, [`"prev":"${after.hash}"`, `"seq":${seq}`, '"v":1'])
  const digest = digestOf(`{${joined([first, ...behind])}}`)
  return {
    record: { ...event, v: 1, seq, prev: after.hash, hash: digest },
    line: `{${joined([first, `"hash":"${digest}"`, ...behind])}}\n`,
  }
}

/** Each of the chain's own members behind the stretch that comes before it. */
const between = (stretches: readonly string[], own: readonly string[]): readonly string[] =>
  stretches.flatMap((stretch, index) => [stretch, own[index] ?? ''])

const joined = (texts: readonly string[]): string => texts.filter((text) => text !== '').join(',')

/** Why a line is not a record of this log. */
export type Flaw =
  | 'unreadable'
  | 'malformed'
  | 'not_canonical'
  | 'edited'
  | 'broken_link'
  | 'duplicate_seq'
  | 'seq_gap'

export interface Flawed {
  readonly flaw: Flaw
  readonly seq?: number
}

export type Reading = { readonly record: AuditRecord } | Flawed

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: object): value is AuditRecord {
  const { v, seq, prev, hash: digest, event, time } = value as Partial<AuditRecord>
  const hashes = [prev, digest].every((text) => typeof text === 'string' && hashForm.test(text))
  const named = typeof event === 'string' && typeof time === 'string' && timeForm.test(time)
  return v === 1 && Number.isSafeInteger(seq) && Number(seq) > 0 && hashes && named
}

function membersOf(record: AuditRecord): readonly Member[] {
  try {
    return canonicalMembers(record)
  } catch {
    return []
  }
}

/** Reads one line (without its newline) and checks everything that it says about itself. */
export function readRecord(line: Buffer): Reading {
  if (line.length > recordBytesMax || !isUtf8(line)) return { flaw: 'unreadable' }
  const text = line.toString('utf8')
  const value = parsed(text)
  if (value === undefined) return { flaw: 'unreadable' }
  if (typeof value !== 'object' || value === null || !isRecord(value)) return { flaw: 'malformed' }
  const members = membersOf(value)
  if (joinMembers(members) !== text) return { flaw: 'not_canonical', seq: value.seq }
  const bare = joinMembers(members.filter(({ key }) => key !== 'hash'))
  return digestOf(bare) === value.hash ? { record: value } : { flaw: 'edited', seq: value.seq }
}

/** Reads one line and checks that it is the record after `after`. */
export function follow(after: Position, line: Buffer): Reading {
  const reading = readRecord(line)
  if (!('record' in reading)) return reading
  const { seq, prev } = reading.record
  if (seq <= after.seq) return { flaw: 'duplicate_seq', seq }
  if (seq > after.seq + 1) return { flaw: 'seq_gap', seq }
  return prev === after.hash ? reading : { flaw: 'broken_link', seq }
}
