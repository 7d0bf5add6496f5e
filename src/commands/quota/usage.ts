import type { OpsClient } from '../ops-client.ts'
import { jsonText, plain } from '../plain-text.ts'
import { type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { type Bucket, type StoreState, type Throttled, type Usage, usageOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import { duration, instant } from './units.ts'

export interface UsageOptions extends JsonOption, ConnectionOptions {
  readonly limit?: string
  readonly tenant?: string
  readonly prefix?: string
  /** Most buckets that are shown. */
  readonly count: number
}

type Filter = Pick<UsageOptions, 'limit' | 'tenant' | 'prefix'>

const PAGE_BUCKETS_MAX = 100

/** So many buckets, page by page. `cursor` is not empty when there are more. */
export async function readUsage(
  client: OpsClient,
  filter: Filter,
  { bucketsMax }: { readonly bucketsMax: number },
): Promise<Usage> {
  const first = await readPage(client, { filter, cursor: '', count: bucketsMax })
  const buckets = [...first.buckets]
  let { cursor } = first
  while (cursor !== '' && buckets.length < bucketsMax) {
    const page = await readPage(client, { filter, cursor, count: bucketsMax - buckets.length })
    buckets.push(...page.buckets)
    // A cursor that leads nowhere would be followed for ever.
    if (page.cursor === cursor || page.buckets.length === 0) break
    cursor = page.cursor
  }
  return { ...first, buckets: buckets.slice(0, bucketsMax), cursor }
}

interface Page {
  readonly filter: Filter
  readonly cursor: string
  readonly count: number
}

async function readPage(client: OpsClient, { filter, cursor, count }: Page): Promise<Usage> {
  const { limit, tenant, prefix } = filter
  const asked = { limit, tenant, prefix, cursor, count: String(Math.min(count, PAGE_BUCKETS_MAX)) }
  const entries = Object.entries(asked).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '')
  const { body } = await client.ask('GET', `/admin/v1/usage?${new URLSearchParams(entries)}`)
  return usageOf(body)
}

/** `sallyport quota usage`: buckets with what is used of them, exactly. */
export async function quotaUsage(
  { limit, tenant, prefix, count, json, ...connection }: UsageOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const filter = Object.fromEntries(
    Object.entries({ limit, tenant, prefix }).filter(([, value]) => value !== undefined),
  ) as Filter
  const usage = await withClient(connection, surroundings, (client) =>
    readUsage(client, filter, { bucketsMax: count }),
  )
  surroundings.out(json ? jsonText(usageJson(usage)) : usageText(usage))
  return exitCodes.ok
}

/** As the API names the fields. */
export const usageJson = ({ buckets, cursor, throttled, store }: Usage): object => ({
  buckets: buckets.map(({ resetMs, ...bucket }) => ({ ...bucket, reset_ms: resetMs })),
  more: cursor !== '',
  throttled: throttled.map(({ lastAt, ...each }) => ({ ...each, last_at: lastAt })),
  store: { ...store, awaySince: undefined, away_since: store.awaySince || null },
})

const bucketColumns = [
  { title: 'BUCKET' },
  { title: 'USED', align: 'right' },
  { title: 'AT MOST', align: 'right' },
  { title: 'REMAINING', align: 'right' },
  { title: 'SHARE', align: 'right' },
  { title: 'EMPTY IN', align: 'right' },
  { title: 'SET BY' },
  { title: 'MODE' },
] as const

/** Who was throttled, here and in `quota top`. */
export const throttledColumns = [
  { title: 'THROTTLED BY' },
  { title: 'TENANT' },
  { title: 'REFUSED', align: 'right' },
  { title: 'SHADOWED', align: 'right' },
  { title: 'LAST' },
] as const

function usageText({ buckets, cursor, throttled, store }: Usage): string {
  const rows = buckets.map((bucket) => rowOf(bucket))
  const shown = rows.length === 0 ? 'Nothing is used.\n' : table(bucketColumns, rows)
  const more = cursor === '' ? '' : `There are more: narrow it down, or raise --count.\n`
  const refused = throttled.length === 0 ? '' : `\n${table(throttledColumns, throttled.map(throttledRow))}`
  return `${shown}${more}${refused}\n${storeText(store)}\n`
}

const rowOf = ({ key, used, burst, remaining, share, resetMs, source, mode }: Bucket): string[] => [
  key,
  String(used),
  String(burst),
  String(remaining),
  percent(share),
  resetMs === 0 ? '-' : duration(resetMs),
  source,
  mode,
]

export const percent = (share: number): string => `${Math.floor(share * 1000) / 10} %`

const throttledRow = ({ limit, tenant, refused, shadowed, lastAt }: Throttled): string[] => [
  limit,
  tenant,
  String(refused),
  String(shadowed),
  instant(lastAt),
]

/** One line, safe to print. */
export function storeText({ kind, available, replicas, backlog, awaySince }: StoreState): string {
  const parts = [
    `store ${kind || 'unknown'}`,
    available ? 'available' : `AWAY${awaySince === '' ? '' : ` since ${instant(awaySince)}`}`,
    ...(replicas === '' ? [] : [`replicas ${replicas}`]),
    ...(backlog === '' || backlog === '0' ? [] : [`${backlog} settlements wait for it`]),
  ]
  return plain(parts.join(', '))
}
