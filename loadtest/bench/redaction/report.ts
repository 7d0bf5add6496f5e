// The result as Markdown: the same on a terminal and in docs/benchmarks/redaction.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { type Measure, measures, type Scores } from './measures.ts'
import type { MissingPeer, Peer } from './peers.ts'
import type { ComparedSpeed, OwnSpeed } from './speed.ts'

export interface Quality {
  readonly name: string
  readonly says: Peer['says']
  /** By part of the corpora and preset; peers have one preset. */
  readonly standard: Partial<Record<'dev' | 'held-out', Scores>>
  readonly strict: Partial<Record<'dev' | 'held-out', Scores>>
}

export interface Result {
  readonly node: string
  readonly cpu: string
  readonly date: string
  readonly rounds: number
  readonly peers: readonly (Peer | MissingPeer)[]
  readonly quality: readonly Quality[]
  readonly splits: { readonly checked: number; readonly different: number } | undefined
  readonly own: OwnSpeed
  readonly compared: readonly ComparedSpeed[]
}

type Row = readonly string[]

const table = (head: Row, rows: readonly Row[]): string => {
  const line = (row: Row): string => `| ${row.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

const digits = (value: number): string => {
  if (Number.isNaN(value)) return '-'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
const rateText = (value: number | undefined): string =>
  value === undefined ? '-' : value < 0.1 ? value.toFixed(4) : digits(value)

function figure(measure: Measure, quality: Quality, part: 'dev' | 'held-out'): number {
  const scores = (measure.strict ? quality.strict : quality.standard)[part]
  return scores === undefined ? Number.NaN : measure.of(scores)
}

function figureText(measure: Measure, quality: Quality, part: 'dev' | 'held-out'): string {
  const value = figure(measure, quality, part)
  if (Number.isNaN(value)) return '-'
  return measure.unit === 'percent' ? `${(value * 100).toFixed(2)} %` : value.toFixed(3)
}

export interface QualityRow {
  readonly measure: string
  readonly bar: string
  /** By tool, and for Sallyport by part; null where a tool cannot be measured so. */
  readonly figures: Readonly<Record<string, number | null>>
}

const columnsOf = (
  quality: readonly Quality[],
): { quality: Quality; part: 'dev' | 'held-out'; title: string }[] =>
  quality.flatMap((each) =>
    (['dev', 'held-out'] as const)
      .filter((part) => each.standard[part] !== undefined)
      .map((part) => ({
        quality: each,
        part,
        title: each.name === 'sallyport' ? `${each.name} ${part}` : each.name,
      })),
  )

const hides = (measure: Measure, { name, says }: Quality): boolean =>
  (measure.needsFindings === true && says === 'text') || (measure.strict === true && name !== 'sallyport')

/** The quality as numbers, for `--json`. */
export const qualityRows = ({ quality }: Result): QualityRow[] =>
  measures.map((measure) => ({
    measure: measure.name,
    bar: measure.bar,
    figures: Object.fromEntries(
      columnsOf(quality).map((column) => {
        const value = hides(measure, column.quality)
          ? Number.NaN
          : figure(measure, column.quality, column.part)
        return [column.title, Number.isNaN(value) ? null : value]
      }),
    ),
  }))

function qualityTable({ quality }: Result): string {
  const columns = columnsOf(quality)
  return table(
    ['measure', 'bar', ...columns.map(({ title }) => title)],
    measures.map((measure) => [
      measure.name,
      measure.bar,
      ...columns.map((column) =>
        hides(measure, column.quality) ? '-' : figureText(measure, column.quality, column.part),
      ),
    ]),
  )
}

const lowest = (rates: Readonly<Record<string, number>>): readonly [string, number] =>
  Object.entries(rates).reduce((a, b) => (b[1] < a[1] ? b : a))

function ownTable({ own, splits }: Result): string {
  const [blockText, blocks] = lowest(own.hostileBlocksMBps)
  const [eventText, events] = lowest(own.hostileEventsMBps)
  const rows: Row[] = [
    ['chat text in blocks', '>= 60 MB/s', `${digits(own.blocksMBps)} MB/s`],
    ['chat text in events of 4 characters', '>= 25 MB/s', `${digits(own.eventsMBps)} MB/s`],
    [`slowest hostile text in blocks (${blockText})`, '>= 5 MB/s', `${digits(blocks)} MB/s`],
    [`slowest hostile text in events of 4 characters (${eventText})`, '', `${digits(events)} MB/s`],
    ['longest turn of the event loop, prompt of 500 KB', '<= 10 ms', `${digits(own.longestTurnMs)} ms`],
    ['added to an event of 4 characters, median', '<= 2 us', `${digits(own.pushUs.p50)} us`],
    ['added to an event of 4 characters, p99', '<= 10 us', `${digits(own.pushUs.p99)} us`],
    ['text held after an event, p50', '<= 4', `${own.heldUnits.p50} characters`],
    ['text held after an event, p99', '<= 16', `${own.heldUnits.p99} characters`],
  ]
  if (splits !== undefined)
    rows.push(['ways to cut a text that change the result', '0', `${splits.different} of ${splits.checked}`])
  return table(['measure', 'bar', 'sallyport'], rows)
}

const comparedTable = ({ compared }: Result): string =>
  table(
    ['tool', 'short messages, MB/s', 'Sallyport is faster by', 'slowest hostile text of 16 KB', 'MB/s on it'],
    compared.map(({ name, messagesMBps, ratio, slowestHostile: { text, MBps } }) => [
      name,
      rateText(messagesMBps),
      `${digits(ratio)}x`,
      text,
      rateText(MBps),
    ]),
  )

function peerLine(peer: Peer | MissingPeer): string {
  const what = `${peer.name} ${peer.version} (${peer.registry}; ${peer.setup})`
  return 'reason' in peer ? `* ${what}: not measured, ${peer.reason}\n` : `* ${what}\n`
}

export function markdown(result: Result): string {
  return [
    `Node.js ${result.node}, ${result.cpu}, ${result.date}; medians of ${result.rounds} rounds, one process and one core a tool.\n`,
    qualityTable(result),
    ownTable(result),
    ...(result.compared.length > 1 ? [comparedTable(result)] : []),
    ...(result.peers.length > 0 ? [result.peers.map(peerLine).join('')] : []),
  ].join('\n')
}

const [begin, end] = ['<!-- results: begin -->', '<!-- results: end -->']

/** Replaces what stands between the two marks of a page. */
export function writeInto(page: string, text: string): void {
  const before = readFileSync(page, 'utf8')
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${page} has no marks for the results`)
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n${text.trimEnd()}\n${before.slice(to)}`)
}
