import { Cluster, type Redis } from 'ioredis'
import type { KeyPage } from '../store.ts'
import type { RedisConnection } from './client.ts'
import type { Keys } from './keys.ts'

export interface PageOptions {
  readonly keys: Keys
  readonly prefix: string
  readonly cursor: string
  readonly countMax: number
}

/** Keys that one call looks at, and calls for one page: a page of a large store may hold fewer keys than it could. */
const lookedAt = 1_000
const callsMax = 20

interface Place {
  readonly node: number
  /** Of SCAN. */
  readonly cursor: string
  /** The last name of this call that the page before has shown: names come in another order when the table grows. */
  readonly shown: string
}

/** Buckets in use, a page of at most `countMax`, from every master in turn. A key may come twice while others change. */
export async function pageOfKeys(redis: RedisConnection, options: PageOptions): Promise<KeyPage> {
  const nodes = mastersOf(redis)
  const found = new Set<string>()
  let place = placeOf(options.cursor)
  for (let calls = 0; place.node < nodes.length && calls < callsMax; calls += 1) {
    const [next, names] = await scan(nodes[place.node] as Redis, place.cursor, options)
    const fresh = names.filter((name) => name > place.shown).sort()
    const room = options.countMax - found.size
    for (const name of fresh.slice(0, room)) found.add(options.keys.limitKeyOf(name))
    if (fresh.length > room) {
      place = { ...place, shown: fresh[room - 1] ?? place.shown }
      break
    }
    place =
      next === '0' ? { node: place.node + 1, cursor: '0', shown: '' } : { ...place, cursor: next, shown: '' }
    if (found.size >= options.countMax) break
  }
  return { keys: [...found], cursor: place.node < nodes.length ? textOf(place) : '' }
}

function mastersOf(redis: RedisConnection): readonly Redis[] {
  if (!(redis instanceof Cluster)) return [redis]
  const name = ({ options }: Redis): string => `${options.host}:${options.port}`
  return redis.nodes('master').sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

const scan = (node: Redis, cursor: string, { keys, prefix }: PageOptions): Promise<[string, string[]]> =>
  node.scan(cursor, 'MATCH', keys.bucketsPattern(prefix), 'COUNT', lookedAt)

const textOf = ({ node, cursor, shown }: Place): string =>
  `${node}:${cursor}:${Buffer.from(shown).toString('base64url')}`

/** The first page for what is no cursor of ours. */
function placeOf(text: string): Place {
  const [, node = '0', cursor = '0', shown = ''] = /^(\d{1,4}):(\d{1,20}):([\w-]{0,2000})$/.exec(text) ?? []
  return { node: Number(node), cursor, shown: Buffer.from(shown, 'base64url').toString() }
}
