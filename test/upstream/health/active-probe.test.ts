import { once } from 'node:events'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../../src/clock.ts'
import { ActiveProbe, type ProbeBounds } from '../../../src/upstream/health/active-probe.ts'
import { EndpointHealth } from '../../../src/upstream/health/endpoint-health.ts'
import { healthBounds } from '../../../src/upstream/health/health-bounds.ts'
import type { HealthState } from '../../../src/upstream/health/health-report.ts'
import type { ProbeVerdict } from '../../../src/upstream/health/probe-verdict.ts'
import { SteppingClock, settled } from '../stepping-clock.ts'

const quick: ProbeBounds = { intervalMs: 20, ejectedIntervalMs: 5, timeoutMs: 400 }

/** GET of a status over a real connection of its own. */
const statusOf =
  (port: number) =>
  (path: string, signal: AbortSignal): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    get({ port, path, signal, agent: false, host: '127.0.0.1' }, (response) => {
      response.on('error', () => {}).resume()
      resolve(response.statusCode ?? 0)
    }).on('error', reject)
    return promise
  }

t.test('a real server that is fine, loads its model, hangs, dies and comes back', async (t) => {
  let answer = (response: ServerResponse): void => void response.writeHead(200).end()
  const paths = new Set<string | undefined>()
  const server = createServer((request, response) => {
    paths.add(request.url)
    answer(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const states: HealthState[] = []
  const verdicts: string[] = []
  const until = async (holds: () => boolean): Promise<void> => {
    // The sleeps of the clock do not keep the process alive.
    while (!holds()) await delay(2)
  }
  const health = new EndpointHealth({
    bounds: { ...healthBounds, ejectionMs: 100_000, ejectionMsMax: 100_000 },
    clock: systemClock,
    random: () => 0,
    changed: ({ to }) => states.push(to),
  })
  const probe = new ActiveProbe({
    ...{ server: 'llamacpp', health, bounds: quick, clock: systemClock, random: () => 0.5 },
    request: statusOf(port),
    observer: (verdict, status) => verdicts.push(`${verdict} ${status}`),
  })
  await until(() => verdicts.length >= 2)
  t.equal(health.state, 'healthy')

  answer = (response) => void response.writeHead(503).end('{"error":"Loading model"}')
  await until(() => health.state === 'ejected')
  answer = (response) => void response.writeHead(200).end()
  await until(() => health.state === 'probation')
  health.enter()?.ended('answered')

  const closed = Promise.withResolvers<void>()
  answer = (response) => void response.once('close', closed.resolve)
  let isClosed = false
  closed.promise.then(() => {
    isClosed = true
  })
  await until(() => isClosed)
  t.pass('a probe that hangs is cut, and the server sees it')
  await until(() => health.state === 'ejected')
  const sinceDead = verdicts.length
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await until(() => verdicts.length >= sinceDead + 3)

  answer = (response) => void response.writeHead(200).end()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  await until(() => health.state === 'probation')
  await probe.close()
  server.closeAllConnections()
  server.close()
  t.same(states, ['ejected', 'probation', 'healthy', 'ejected', 'probation'])
  t.same([...new Set(verdicts)].sort(), ['alive 200', 'down 503', 'down undefined'])
  t.same([...paths], ['/health'])
})

interface Answer {
  readonly takesMs: number
  readonly status: number
  readonly obeys: 'obeys' | 'ignores'
  readonly state: HealthState
}

interface Asked {
  readonly from: number
  readonly isFast: boolean
  abortedAt?: number
  until?: number
}

const bounds: ProbeBounds = { intervalMs: 50, ejectedIntervalMs: 10, timeoutMs: 20 }

/** A simulated server, probed for a while; what was asked when. */
async function probed(answers: readonly Answer[], chance: number): Promise<Asked[]> {
  const clock = new SteppingClock()
  const asked: Asked[] = []
  const health = { state: 'healthy' as HealthState, ejections: 0, probed: () => {} }
  const probe = new ActiveProbe({
    ...{ server: 'vllm', health, bounds, clock, random: () => chance },
    request: async (_path, signal) => {
      const { takesMs, status, obeys, state } = answers[asked.length % answers.length] as Answer
      health.state = state
      const own: Asked = { from: clock.monotonic(), isFast: state !== 'healthy' }
      asked.push(own)
      signal.addEventListener('abort', () => {
        own.abortedAt ??= clock.monotonic()
      })
      try {
        await clock.sleep(takesMs, obeys === 'obeys' ? signal : undefined)
        return status
      } finally {
        own.until = clock.monotonic()
      }
    },
  })
  for (let ms = 0; ms < 400; ms += 1) await clock.advance(1)
  await probe.close()
  return asked
}

/** What is wrong between one probe and the next. */
function faultOfPace(
  { from, until, abortedAt, isFast }: Asked,
  next: Asked,
  chance: number,
): string | undefined {
  if (until === undefined || next.from < until) return 'two at a time'
  const endMs = Math.min(until, from + bounds.timeoutMs)
  if (abortedAt !== endMs) return `aborted at ${abortedAt}, not ${endMs}`
  const restMs = (isFast ? bounds.ejectedIntervalMs : bounds.intervalMs) * (1 - 0.2 * chance)
  const gapMs = next.from - endMs
  if (gapMs < Math.floor(restMs)) return `${gapMs}, less than ${restMs}`
  // The clock goes in steps of one millisecond, and a healthy wait has five sleeps.
  return until === endMs && gapMs > Math.ceil(restMs) + 6 ? `${gapMs}, more than ${restMs}` : undefined
}

t.test('1, 2: one probe at a time, each bounded, at the pace of the state', async (t) => {
  const answer: fc.Arbitrary<Answer> = fc.record({
    takesMs: fc.nat(60),
    status: fc.constantFrom(200, 404, 503),
    obeys: fc.constantFrom('obeys', 'obeys', 'ignores'),
    state: fc.constantFrom('healthy', 'ejected', 'probation'),
  })
  let all = 0
  const property = fc.asyncProperty(
    fc.array(answer, { minLength: 1, maxLength: 20 }),
    fc.constantFrom(0, 0.5, 0.999),
    async (answers, chance) => {
      const asked = await probed(answers, chance)
      const faults = asked.slice(1).map((next, index) => faultOfPace(asked[index] as Asked, next, chance))
      const fault = faults.find((found) => found !== undefined)
      if (fault !== undefined) throw new Error(fault)
      all += asked.length
    },
  )
  await fc.assert(property, { numRuns: 60 })
  t.ok(all > 300, `${all} probes`)
})

/** A probe whose requests the test answers itself, on a clock that stands. */
function standing() {
  const clock = new SteppingClock()
  const asked: PromiseWithResolvers<number>[] = []
  const told: ProbeVerdict[] = []
  const health = new EndpointHealth({
    bounds: { ...healthBounds, ejectionMs: 60_000 },
    clock,
    random: () => 0,
  })
  const probe = new ActiveProbe({
    ...{ server: 'sglang', health, clock, random: () => 0 },
    bounds: { intervalMs: 5_000, ejectedIntervalMs: 1_000, timeoutMs: 1_000 },
    request: () => {
      const request = Promise.withResolvers<number>()
      asked.push(request)
      return request.promise
    },
    observer: (verdict) => told.push(verdict),
  })
  return { clock, asked, told, health, probe }
}

const kill = (health: EndpointHealth): void => {
  for (let i = 0; i < healthBounds.failuresMax; i += 1) health.enter()?.ended('failed')
}

t.test('an ejection during the wait brings the next probe forward', async (t) => {
  const { clock, asked, health, probe } = standing()
  await clock.advance(0)
  asked[0]?.resolve(200)
  await settled()
  await clock.advance(1_000)
  t.equal(asked.length, 1)
  kill(health)
  await clock.advance(1_000)
  t.equal(asked.length, 2)
  await probe.close()
})

t.test('3: a probe that began before an ejection does not end it', async (t) => {
  const { clock, asked, told, health, probe } = standing()
  await clock.advance(0)
  kill(health)
  asked[0]?.resolve(200)
  await settled()
  t.same(told, ['alive'])
  t.equal(health.state, 'ejected')
  await probe.close()
})

t.test('4: after close nothing is asked or told', async (t) => {
  const { clock, asked, told, health, probe } = standing()
  await clock.advance(0)
  t.equal(asked.length, 1)
  await probe.close()
  asked[0]?.resolve(503)
  for (let second = 0; second < 20; second += 1) await clock.advance(1_000)
  t.same([asked.length, told, health.snapshot().probeFailures], [1, [], 0])
  await probe.close()
})

t.test(
  'a server that answers without telling of its health is neither ejected nor brought back',
  async (t) => {
    const { clock, asked, told, health, probe } = standing()
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000)
      asked.at(-1)?.resolve(404)
      await settled()
    }
    t.ok(told.length > 5 && told.every((verdict) => verdict === 'undecided'))
    t.equal(health.state, 'healthy')
    kill(health)
    const before = told.length
    while (told.length === before) {
      await clock.advance(100)
      asked.at(-1)?.resolve(404)
      await settled()
    }
    t.equal(health.state, 'ejected')
    await probe.close()
  },
)
