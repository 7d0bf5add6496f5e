import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { Scrape, type ScrapeAnswer, type ScrapeOptions } from '../../../src/upstream/load/scrape.ts'
import { type LoadSeries, loadSeries } from '../../../src/upstream/load/server-metrics.ts'
import { SteppingClock, settled } from '../stepping-clock.ts'

const series = loadSeries.vllm as LoadSeries
const metrics = (waiting: number): string =>
  `vllm:num_requests_running 2\nvllm:num_requests_waiting ${waiting}\nvllm:kv_cache_usage_perc 0.5\n`

async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
const answer = (status: number, text = ''): ScrapeAnswer => ({ status, body: bodyOf(text) })

/** A scrape whose requests the test answers, on a clock that the test moves. */
class Watched {
  readonly clock = new SteppingClock()
  readonly results: string[] = []
  readonly signals: AbortSignal[] = []
  readonly paths: string[] = []
  reply: () => Promise<ScrapeAnswer> = async () => answer(200, metrics(1))
  idle = false
  under = 0
  underMax = 0
  readonly scrape: Scrape

  constructor(options: Partial<ScrapeOptions> = {}) {
    this.scrape = new Scrape({
      series,
      clock: this.clock,
      random: () => 0.5,
      isIdle: () => this.idle,
      observe: ({ result }) => this.results.push(result),
      get: async (path, signal) => {
        this.paths.push(path)
        this.signals.push(signal)
        this.underMax = Math.max(this.underMax, ++this.under)
        return await this.reply().finally(() => this.under--)
      },
      ...options,
    })
  }

  /** Lets time pass in steps that no pause is shorter than. */
  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 100) {
      await this.clock.advance(100)
      await settled()
    }
  }
}

function watch(t: Test, options?: Partial<ScrapeOptions>): Watched {
  const watched = new Watched(options)
  t.teardown(() => watched.scrape.close())
  return watched
}

t.test('reads on an interval', async (t) => {
  const watched = watch(t)
  t.equal(watched.scrape.latest, undefined)
  await watched.pass(500)
  t.same(watched.scrape.latest, { running: 2, waiting: 1, kvUse: 0.5, at: 1_500 })
  watched.reply = async () => answer(200, metrics(9))
  await watched.pass(900)
  t.equal(watched.scrape.latest?.waiting, 1)
  await watched.pass(100)
  t.match(watched.scrape.latest, { waiting: 9, at: 2_500 })
  t.same(watched.results, ['ok', 'ok'])
  t.same(watched.paths, ['/metrics', '/metrics'])
  t.ok(
    watched.signals.every((signal) => signal.aborted),
    'nothing is left of a request',
  )
  t.equal(watched.clock.sleepers, 1, 'but the next pause')
})

t.test('each pause is a tenth shorter or longer', async (t) => {
  const early = watch(t, { random: () => 0 })
  await early.pass(1_800)
  t.same(early.results.length, 2, 'at 0 and 900, next at 1 800 and 100')
  const late = watch(t, { random: () => 1 })
  await late.pass(3_200)
  t.same(late.results.length, 3, 'at 1 000, 2 100 and 3 200')
})

t.test('never more than one request, which ends in time', async (t) => {
  const watched = watch(t)
  watched.reply = () => new Promise(() => undefined)
  await watched.pass(900)
  t.equal(watched.results.length, 0, 'under way')
  await watched.pass(100)
  t.same(watched.results, ['failed'])
  t.ok(watched.signals.every((signal) => signal.aborted))
  await watched.pass(20_000)
  t.equal(watched.under, watched.results.length, 'the test never answers')
  t.equal(watched.signals.filter((signal) => !signal.aborted).length <= 1, true)
})

t.test('a body that never ends is cut, however it takes it', async (t) => {
  const watched = watch(t)
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(metrics(7))
    await new Promise(() => undefined)
  }
  watched.reply = async () => ({ status: 200, body: stuck() })
  await watched.pass(1_000)
  t.same(watched.results, ['failed'])
  t.equal(watched.scrape.latest, undefined)
  t.ok(watched.signals[0]?.aborted)
})

t.test('what comes too late is no reading', async (t) => {
  const watched = watch(t)
  const late = Promise.withResolvers<ScrapeAnswer>()
  watched.reply = () => late.promise
  await watched.pass(1_000)
  t.same(watched.results, ['failed'])
  late.resolve(answer(200, metrics(7)))
  await settled()
  t.equal(watched.scrape.latest, undefined)
})

t.test('failures make it rarer, and keep what was read', async (t) => {
  const watched = watch(t)
  await watched.pass(500)
  const answers = [
    async () => answer(500),
    async () => answer(401),
    async () => answer(302),
    async () => await Promise.reject(new Error('no connection')),
  ]
  let asked = 0
  watched.reply = async () => await (answers[asked++ % answers.length] as () => Promise<ScrapeAnswer>)()
  const times: number[] = []
  for (let at = 0; at < 120_000; at += 100) {
    const before = watched.results.length
    await watched.pass(100)
    if (watched.results.length > before) times.push(watched.clock.monotonic())
  }
  const pauses = times.slice(1).map((at, index) => at - (times[index] as number))
  t.same(pauses.slice(0, 6), [2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  t.ok(watched.results.slice(1).every((result) => result === 'failed'))
  t.match(watched.scrape.latest, { waiting: 1, at: 1_500 })
  watched.reply = async () => answer(200, metrics(3))
  await watched.pass(30_000)
  t.equal(watched.scrape.latest?.waiting, 3)
  const before = watched.results.length
  await watched.pass(1_000)
  t.equal(watched.results.length, before + 1, 'and as often as before')
})

t.test('a server without metrics is asked once a minute', async (t) => {
  for (const reply of [
    answer(404),
    answer(405),
    answer(501),
    answer(200, 'other 1\n'),
    answer(200, '<html>'),
  ]) {
    const watched = new Watched()
    await watched.pass(500)
    t.ok(watched.scrape.latest)
    watched.reply = async () => reply
    await watched.pass(1_000)
    t.same(watched.results, ['ok', 'absent'])
    t.equal(watched.scrape.latest, undefined)
    await watched.pass(59_900)
    t.equal(watched.results.length, 2)
    watched.reply = async () => answer(200, metrics(4))
    await watched.pass(100)
    t.equal(watched.scrape.latest?.waiting, 4)
    await watched.scrape.close()
  }
})

t.test('nothing is asked while there is no traffic', async (t) => {
  const watched = watch(t)
  watched.idle = true
  await watched.pass(60_000)
  t.equal(watched.paths.length, 0)
  watched.idle = false
  await watched.pass(1_000)
  t.equal(watched.paths.length, 1)
})

t.test('close ends what is under way, and tells nobody', async (t) => {
  const watched = watch(t)
  watched.reply = () => new Promise(() => undefined)
  await watched.pass(600)
  let closed = false
  watched.scrape.close().then(() => {
    closed = true
  })
  await settled()
  t.ok(closed, 'without waiting for the time limit')
  t.ok(watched.signals[0]?.aborted)
  t.same(watched.results, [])
  t.equal(watched.clock.sleepers, 0)
  await watched.pass(60_000)
  t.equal(watched.paths.length, 1)
})

async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('over a real socket: what is not read is given up', async (t) => {
  const closed = Promise.withResolvers<void>()
  const origin = await serve(t, (_, response) => {
    response.on('close', () => closed.resolve())
    response.write(metrics(6))
    const more = (): void => {
      while (response.write('x 1\n'.repeat(16_384)));
    }
    response.on('drain', more)
    more()
  })
  const watched = watch(t, {
    get: async (path, signal) => {
      const { statusCode, body } = await request(`${origin}${path}`, { signal })
      body.on('error', () => undefined)
      return { status: statusCode, body }
    },
  })
  await watched.clock.advance(500)
  await closed.promise
  while (watched.results.length === 0) await settled()
  t.same(watched.results, ['ok'])
  t.equal(watched.scrape.latest?.waiting, 6)
})
