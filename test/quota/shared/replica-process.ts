/**
 * A gateway's store as a process of its own, for tests of several on one Redis. Takes what to do from its parent, a line
 * of JSON each, and answers with a line each.
 */
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct, passed } from '../store-subject.ts'
import { observed } from './observed.ts'

export type Order =
  | {
      readonly do: 'crowd'
      readonly name: string
      readonly count: number
      readonly amount: number
      readonly burst: number
    }
  | {
      readonly do: 'load'
      readonly name: string
      readonly forMs: number
      readonly amount: number
      readonly burst: number
    }
  | { readonly do: 'close' }

/** What a load came to. Times in milliseconds since the epoch. */
export interface Loaded {
  readonly passedAt: readonly number[]
  readonly calls: number
  readonly byOf: Readonly<Record<string, number>>
  /** Calls that waited for Redis and got no answer: those that were under way when it went away. */
  readonly slow: number
  readonly errors: readonly string[]
}

const [port = '0', prefix = ''] = process.argv.slice(2)
const { store } = await observed(
  { address: `127.0.0.1:${port}` },
  { keyPrefix: prefix, replicaId: `process-${process.pid}` },
)
const limit = (name: string, amount: number, burst: number) => limitOf({ name, amount, burst, per: 'minute' })
const tell = (answer: unknown) => process.stdout.write(`${JSON.stringify(answer)}\n`)

async function crowd({ name, count, amount, burst }: Extract<Order, { do: 'crowd' }>): Promise<number> {
  const demand = ask(limit(name, amount, burst))
  const all = Array.from({ length: count }, (_, n) => store.admit(`${process.pid}-${name}-${n}`, [demand]))
  return passed(await Promise.all(all))
}

/** One call after the other in four lines: as many as it takes. */
async function load({ name, forMs, amount, burst }: Extract<Order, { do: 'load' }>): Promise<Loaded> {
  const passedAt: number[] = []
  const byOf: Record<string, number> = {}
  const errors: string[] = []
  let [calls, slow] = [0, 0]
  const demand = ask(limit(name, amount, burst))
  const one = async (id: string): Promise<void> => {
    const wasAvailable = store.health.available
    const { allowed, by } = await store.admit(id, [demand])
    calls += 1
    byOf[by] = (byOf[by] ?? 0) + 1
    if (wasAvailable && by !== 'store') slow += 1
    if (!allowed) return
    passedAt.push(Date.now())
    await store.settle(id, [correct(demand.limit, 1, 1)])
  }
  const untilMs = Date.now() + forMs
  const line = async (number: number): Promise<void> => {
    for (let n = 0; Date.now() < untilMs; n += 1) {
      await one(`${process.pid}-${name}-${number}-${n}`).catch((error) => errors.push(String(error)))
      await delay(4)
    }
  }
  await Promise.all([0, 1, 2, 3].map(line))
  return { passedAt, calls, byOf, slow, errors }
}

tell('ready')
for await (const text of createInterface({ input: process.stdin })) {
  const order = JSON.parse(text) as Order
  if (order.do === 'crowd') tell(await crowd(order))
  else if (order.do === 'load') tell(await load(order))
  else break
}
await store.close()
tell('closed')
process.exit(0)
