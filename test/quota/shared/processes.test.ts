// Three processes on one Redis: exactly the limit while it is there, and no more than the stated bound while it is not.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startRedis } from '../../support/redis-server.ts'
import { command } from '../../support/redis-setups.ts'
import type { Loaded, Order } from './replica-process.ts'

const count = 3
const server = await startRedis()
const prefix = 'p:'
const processes = Array.from({ length: count }, start)
t.teardown(async () => {
  for (const { child } of processes) child.kill('SIGKILL')
  await server.stop()
})

interface Replica {
  readonly child: ChildProcess
  order<Answer>(order: Order): Promise<Answer>
  answer<Answer>(): Promise<Answer>
}

function start(): Replica {
  const program = join(import.meta.dirname, 'replica-process.ts')
  const child = spawn(process.execPath, [program, String(server.port), prefix], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const answer = async <Answer>(): Promise<Answer> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('a replica ended')
    return JSON.parse(value) as Answer
  }
  return {
    child,
    answer,
    order: (order) => {
      child.stdin?.write(`${JSON.stringify(order)}\n`)
      return answer()
    },
  }
}

const members = () => command(server.port, ['ZCARD', `${prefix}{gateways}:members`])

t.test('200 at once over three processes: exactly the burst, in 20 of 20 runs', async (t) => {
  t.same(await Promise.all(processes.map(({ answer }) => answer())), ['ready', 'ready', 'ready'])
  t.equal(await members(), count)
  const sums: number[] = []
  for (let run = 0; run < 20; run += 1) {
    const name = `crowd-${run}`
    const shares = [67, 67, 66].map((share, index) => {
      const order = { do: 'crowd', name, count: share, amount: 1, burst: 60 } as const
      return processes[index]?.order<number>(order)
    })
    sums.push((await Promise.all(shares)).reduce<number>((sum, passed) => sum + (passed ?? 0), 0))
  }
  t.same(
    sums,
    Array.from({ length: 20 }, () => 60),
  )
})

t.test(
  'killed for two seconds under load: within the bound, nobody waits twice, nothing fails',
  async (t) => {
    const [amount, burst] = [1_200, 60]
    const order = { do: 'load', name: 'load', forMs: 4_000, amount, burst } as const
    const loads = Promise.all(processes.map((replica) => replica.order<Loaded>(order)))
    await delay(700)
    await server.kill()
    await delay(2_000)
    await server.restart()
    const loaded = await loads
    t.same(
      loaded.flatMap(({ errors }) => errors),
      [],
    )
    for (const { byOf, slow } of loaded) {
      t.ok(Number(byOf['lease']) > 100, 'served while Redis was away')
      t.ok(Number(byOf['store']) > 100)
      t.ok(slow <= 4, `${slow} of the four calls that were under way met the outage`)
    }
    const times = loaded.flatMap(({ passedAt }) => passedAt).sort((a, b) => a - b)
    t.ok(times.length > (amount * 3_000) / 60_000, `${times.length} passed`)
    t.ok(
      excessOf(times, amount / 60_000) <= 3 * burst,
      'the rate, a burst, one for the outage, one for what Redis lost',
    )
  },
)

/** Most that passed in any window above the rate. `slackMs`: a call's end is noted later than it was decided. */
function excessOf(times: readonly number[], perMs: number, slackMs = 50): number {
  let worst = 0
  for (const [first, fromMs] of times.entries())
    for (let last = first; last < times.length; last += 1)
      worst = Math.max(worst, last - first + 1 - perMs * ((times[last] as number) - fromMs + slackMs))
  return worst
}

t.test('who leaves is no member any more', async (t) => {
  const [leaving, ...staying] = processes as [Replica, ...Replica[]]
  t.equal(await leaving.order({ do: 'close' }), 'closed')
  t.equal(await members(), count - 1)
  await Promise.all(staying.map((replica) => replica.order({ do: 'close' })))
  t.equal(await members(), 0)
  await Promise.all(processes.map(({ child }) => child.exitCode ?? once(child, 'exit')))
})
