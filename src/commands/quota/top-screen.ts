/** What `quota top` shows, as lines. It knows no clock and no terminal: the same snapshot makes the same lines. */
import { plain } from '../plain-text.ts'
import { type Cell, type Column, cut, type Paint, tableLines } from '../table.ts'
import type { Bucket, StoreState, Throttled, Usage } from './answers.ts'
import { parseKey } from './bucket-key.ts'
import { duration, instant, short } from './units.ts'
import { percent, throttledColumns } from './usage.ts'

export const sortings = ['share', 'used', 'refused'] as const
export type Sorting = (typeof sortings)[number]

export interface Snapshot {
  readonly usage: Usage
  /** Milliseconds since the epoch, when it was read. */
  readonly atMs: number
}

export interface Shown {
  readonly origin: string
  readonly sorting: Sorting
  readonly tenant: string | undefined
  readonly intervalSeconds: number
  /** Why the newest snapshot could not be had; the one before it is shown. */
  readonly failure: string | undefined
  readonly nowMs: number
}

export interface Size {
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
}

/** Rows that throttled tenants may take, so that buckets are seen beside them. */
const THROTTLED_ROWS_MAX = 8
const BAR_COLUMNS = 10
/** Narrower terminals show no bars, and not who set a limit. */
const WIDE_COLUMNS_MIN = 100
/** What is left of the line is shared by the name of the limit and whom the bucket is for. */
const WIDE_FIGURES_COLUMNS = 78
const FIGURES_COLUMNS = 54
const NAME_COLUMNS_MIN = 12
/** From here on a bucket is nearly full. */
const NEARLY_FULL = 0.8

/** At most `rows` lines, none wider than `columns`. */
export function screenLines({ usage, atMs }: Snapshot, shown: Shown, size: Size): string[] {
  const { columns, paint } = size
  const head = [
    cut(plain(headText(shown, atMs)), columns),
    storeLine(usage.store, shown.nowMs, size),
    ...(shown.failure === undefined ? [] : [paint('red', cut(plain(failureText(shown, atMs)), columns))]),
    cut(countText(usage), columns),
  ]
  const throttled = throttledLines(usage.throttled, size)
  const left = Math.max(size.rows - head.length - throttled.length - 1, 1)
  const sorted = sortedBuckets(usage, shown.sorting).slice(0, Math.max(left - 1, 0))
  const isWide = columns >= WIDE_COLUMNS_MIN
  const figures = isWide ? WIDE_FIGURES_COLUMNS : FIGURES_COLUMNS
  const nameColumns = Math.max(NAME_COLUMNS_MIN, Math.floor((columns - figures) / 2))
  const kept = <Item>(items: readonly Item[]): Item[] =>
    items.filter((_, index) => isWide || !bucketColumns[index]?.wideOnly)
  const buckets = tableLines(
    kept(bucketColumns),
    sorted.map((bucket) => kept(bucketRow(bucket, usage.throttled, nameColumns))),
    { width: columns, paint },
  )
  return [...head, ...throttled, '', ...buckets].slice(0, size.rows)
}

function headText({ origin, sorting, tenant, intervalSeconds }: Shown, atMs: number): string {
  const of = tenant === undefined ? '' : `  tenant ${tenant}`
  return `quota top by ${sorting}${of}  ${clock(atMs)}  every ${intervalSeconds} s  ${origin}`
}

/** Without the date: the screen is of now. */
const clock = (ms: number): string => instant(new Date(ms).toISOString()).slice('2026-08-01 '.length)

const failureText = ({ failure, nowMs }: Shown, atMs: number): string =>
  `No news for ${duration(Math.max(nowMs - atMs, 0))}: ${failure}`

function storeLine(
  { kind, available, replicas, backlog, awaySince }: StoreState,
  nowMs: number,
  size: Size,
): string {
  const sinceMs = Date.parse(awaySince)
  const since = Number.isNaN(sinceMs)
    ? ''
    : ` for ${duration(Math.max(nowMs - sinceMs, 0))} (since ${clock(sinceMs)})`
  const parts = [
    `store ${kind || 'unknown'} ${available ? 'available' : `AWAY${since}`}`,
    ...(replicas === '' ? [] : [`replicas ${replicas}`]),
    ...(backlog === '' ? [] : [`backlog ${backlog}`]),
  ]
  const text = cut(plain(parts.join('  ')), size.columns)
  return available ? text : size.paint(['red', 'bold'], text)
}

function countText({ buckets, cursor, throttled }: Usage): string {
  const full = buckets.filter(({ share }) => share >= 1).length
  const more = cursor === '' ? '' : ' (there are more than are read)'
  const noun = buckets.length === 1 ? 'bucket' : 'buckets'
  return `${buckets.length} ${noun}${more}, ${full} full; ${throttled.length} throttled in the last 5 minutes, on this replica`
}

function throttledLines(throttled: readonly Throttled[], { columns, rows, paint }: Size): string[] {
  if (throttled.length === 0) return []
  const worst = throttled.toSorted((a, b) => b.refused - a.refused || b.shadowed - a.shadowed)
  const shown = worst.slice(0, Math.max(Math.min(THROTTLED_ROWS_MAX, Math.floor(rows / 3)), 1))
  const lines = shown.map(({ limit, tenant, refused, shadowed, lastAt }) => [
    { text: limit, format: refused > 0 ? ('red' as const) : ('yellow' as const) },
    tenant,
    short(refused),
    short(shadowed),
    Number.isNaN(Date.parse(lastAt)) ? '-' : clock(Date.parse(lastAt)),
  ])
  return ['', ...tableLines(throttledColumns, lines, { width: columns, paint })]
}

const bucketColumns: readonly (Column & { readonly wideOnly?: true })[] = [
  { title: 'SHARE', align: 'right' },
  { title: '', wideOnly: true },
  { title: 'LIMIT' },
  { title: 'FOR' },
  { title: 'USED', align: 'right' },
  { title: 'AT MOST', align: 'right' },
  { title: 'LEFT', align: 'right' },
  { title: 'EMPTY IN', align: 'right' },
  { title: 'REFUSED', align: 'right' },
  { title: 'SET BY', wideOnly: true },
]

function bucketRow(bucket: Bucket, throttled: readonly Throttled[], nameColumns: number): (string | Cell)[] {
  const { limit, key, used, burst, remaining, share, resetMs, source, mode } = bucket
  const format = share >= 1 ? ('red' as const) : share >= NEARLY_FULL ? ('yellow' as const) : undefined
  const refused = refusedOf(bucket, throttled)
  const whom = parseKey(key).dimensions.map(([name, value]) => `${name}=${value}`)
  return [
    { text: percent(share), ...(format && { format }) },
    { text: bar(share), ...(format && { format }) },
    cut(plain(mode === 'shadow' ? `(shadow) ${limit}` : limit), nameColumns),
    cut(plain(whom.join(' ')) || 'everybody', nameColumns),
    short(used),
    short(burst),
    short(remaining),
    resetMs === 0 ? '-' : duration(resetMs),
    refused === 0 ? '-' : short(refused),
    source,
  ]
}

function bar(share: number): string {
  const full = Math.min(Math.max(Math.floor(share * BAR_COLUMNS), 0), BAR_COLUMNS)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_COLUMNS - full)}]`
}

/** Refusals are counted by limit and tenant: buckets of one tenant share them. */
const refusedOf = ({ limit, dimensions }: Bucket, throttled: readonly Throttled[]): number =>
  throttled
    .filter((each) => each.limit === limit && (dimensions['tenant'] ?? each.tenant) === each.tenant)
    .reduce((sum, { refused }) => sum + refused, 0)

/** The fullest, largest or most refused first; equals by key, so that rows do not jump about. */
export function sortedBuckets({ buckets, throttled }: Usage, sorting: Sorting): readonly Bucket[] {
  const weight = (bucket: Bucket): number =>
    sorting === 'refused' ? refusedOf(bucket, throttled) : bucket[sorting]
  return buckets.toSorted(
    (a, b) => weight(b) - weight(a) || b.share - a.share || a.key.localeCompare(b.key, 'en'),
  )
}
