import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { EndpointChange } from '../../../src/upstream/discovery/discovered.ts'
import { DnsEndpoints, type DnsEndpointsOptions } from '../../../src/upstream/discovery/dns-endpoints.ts'
import type { DnsSource, Reading } from '../../../src/upstream/discovery/dns-reading.ts'
import { SimulatedDns } from '../../support/simulated-dns.ts'
import { SteppingClock, settled } from '../stepping-clock.ts'

const name = 'vllm.llm.svc.cluster.local'
const source: DnsSource = { kind: 'a', name, scheme: 'https', port: 8_000 }
const srvName = `_http._tcp.${name}`
const srv: DnsSource = { kind: 'srv', name: srvName, scheme: 'https' }

/** Endpoints under observation: `dns` answers, `next` waits for a round after time has passed. */
class Watched {
  readonly clock = new SteppingClock()
  readonly changes: EndpointChange[] = []
  readonly readings: (Reading & { readonly kept: boolean })[] = []
  readonly endpoints: DnsEndpoints
  #told = Promise.withResolvers<void>()

  constructor(dns: SimulatedDns, options: Partial<DnsEndpointsOptions> = {}) {
    this.endpoints = new DnsEndpoints({
      source,
      clock: this.clock,
      random: () => 1,
      servers: [dns.server],
      timeoutMs: 100,
      tries: 1,
      observer: {
        changed: (change) => this.changes.push(change),
        read: (reading) => {
          this.readings.push(reading)
          this.#told.resolve()
        },
      },
      ...options,
    })
  }

  get origins(): string[] {
    return this.endpoints.endpoints.map(({ origin }) => origin)
  }

  get last(): (Reading & { readonly kept: boolean }) | undefined {
    return this.readings.at(-1)
  }

  /** Lets time pass, and the round that is due then end. */
  async next(ms: number): Promise<void> {
    this.#told = Promise.withResolvers()
    await this.clock.advance(ms)
    await this.#told.promise
    await settled()
  }

  /** Rounds that begin within this time. */
  async roundsIn(ms: number): Promise<number> {
    const before = this.readings.length
    await this.clock.advance(ms)
    await settled()
    return this.readings.length - before
  }
}

async function open(t: Test): Promise<SimulatedDns> {
  const dns = await SimulatedDns.open()
  t.teardown(() => dns[Symbol.asyncDispose]())
  return dns
}

async function watch(t: Test, dns: SimulatedDns, options?: Partial<DnsEndpointsOptions>): Promise<Watched> {
  const watched = new Watched(dns, options)
  t.teardown(() => watched.endpoints.close())
  await watched.endpoints.ready
  return watched
}

t.test('both families of a name', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.8', '10.0.0.7'] })
  dns.set('AAAA', name, { records: ['fd00::7'] })
  const { endpoints, changes, last } = await watch(t, dns)
  const plain = { serverName: name, priority: 0, weight: 1 }
  t.same(endpoints.endpoints, [
    { origin: 'https://10.0.0.7:8000', ...plain },
    { origin: 'https://10.0.0.8:8000', ...plain },
    { origin: 'https://[fd00::7]:8000', ...plain },
  ])
  t.same(changes, [{ added: endpoints.endpoints, removed: [], altered: [], endpoints: endpoints.endpoints }])
  t.match(last, { result: 'ok', kept: false, cut: 0, refused: {}, ttlMs: 30_000 })
})

t.test('one family when a Pod has an address of each', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'] })
  dns.set('AAAA', name, { records: ['fd00::7'] })
  const watched = await watch(t, dns, { source: { ...source, families: 'ipv6', serverName: 'vllm.llm.svc' } })
  t.match(watched.endpoints.endpoints, [{ origin: 'https://[fd00::7]:8000', serverName: 'vllm.llm.svc' }])
  t.same(dns.asked, [`AAAA ${name}`])
})

t.test('read again when the TTL is over, and differences told once', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7', '10.0.0.8'], ttlSeconds: 5 })
  const watched = await watch(t, dns)
  t.equal(await watched.roundsIn(4_999), 0)
  dns.set('A', name, { records: ['10.0.0.9', '10.0.0.8'], ttlSeconds: 20 })
  await watched.next(1)
  t.equal(watched.changes.length, 2)
  t.match(watched.changes[1], {
    added: [{ origin: 'https://10.0.0.9:8000' }],
    removed: [{ origin: 'https://10.0.0.7:8000' }],
    altered: [],
  })
  t.equal(await watched.roundsIn(19_999), 0, 'the new TTL counts')
  await watched.next(1)
  t.equal(watched.changes.length, 2, 'the same answer is no change')
})

t.test('the TTL is bounded both ways', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 0 })
  const watched = await watch(t, dns)
  t.equal(await watched.roundsIn(999), 0)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 2_000_000 })
  await watched.next(1)
  t.equal(await watched.roundsIn(59_999), 0)
  await watched.next(1)
  t.equal(watched.readings.length, 3)
})

t.test('an answer without endpoints changes nothing', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 1 })
  const watched = await watch(t, dns)
  const results: unknown[] = []
  let pauseMs = 1_000
  for (const behavior of [{ records: [] }, 'nxdomain', 'servfail', 'silence', 'refused', 'junk'] as const) {
    dns.set('A', name, behavior)
    await watched.next(pauseMs)
    pauseMs = Math.min(pauseMs * 2, 16_000)
    results.push([watched.last?.result, watched.last?.code, watched.last?.kept])
    t.same(watched.origins, ['https://10.0.0.7:8000'])
  }
  t.same(results.slice(0, 5), [
    ['empty', undefined, true],
    ['empty', undefined, true],
    ['failed', 'ESERVFAIL', true],
    ['failed', 'ETIMEOUT', true],
    ['failed', 'EREFUSED', true],
  ])
  t.match(results[5], ['failed', String, true])
  t.equal(watched.changes.length, 1)
  t.equal(watched.endpoints.ageMs, 47_000)
  dns.set('A', name, { records: ['10.0.0.9'] })
  await watched.next(16_000)
  t.same(watched.origins, ['https://10.0.0.9:8000'])
  t.equal(watched.endpoints.ageMs, 0)
})

t.test('a set that is too old is given up', async (t) => {
  const dns = await open(t)
  for (const behavior of ['servfail', { records: [] }] as const) {
    dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 1 })
    const watched = await watch(t, dns, { staleMsMax: 2_500 })
    dns.set('A', name, behavior)
    await watched.next(1_000)
    t.same(watched.origins, ['https://10.0.0.7:8000'])
    await watched.next(2_000)
    t.same(watched.origins, [], 'after 3 000 ms')
    t.match(watched.changes[1], { added: [], removed: [{ origin: 'https://10.0.0.7:8000' }] })
    t.equal(watched.last?.kept, false)
  }
})

t.test('a family that fails is what it last was', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 1 })
  dns.set('AAAA', name, { records: ['fd00::7'], ttlSeconds: 1 })
  const watched = await watch(t, dns)
  dns.set('A', name, 'servfail')
  dns.set('AAAA', name, { records: ['fd00::8'], ttlSeconds: 1 })
  await watched.next(1_000)
  t.match(watched.last, { result: 'partial', code: 'ESERVFAIL', kept: false })
  t.same(watched.origins, ['https://10.0.0.7:8000', 'https://[fd00::8]:8000'])
})

t.test('a first round without an answer', async (t) => {
  const dns = await open(t)
  dns.set('A', name, 'servfail')
  const watched = await watch(t, dns)
  t.same(watched.origins, [])
  t.match(watched.last, { result: 'failed', kept: false })
  t.equal(watched.changes.length, 0)
  dns.set('A', name, { records: ['10.0.0.7'] })
  await watched.next(2_000)
  t.same(watched.origins, ['https://10.0.0.7:8000'])
})

t.test('addresses that no call may go to', async (t) => {
  const dns = await open(t)
  const records = ['169.254.169.254', '127.0.0.1', '0.0.0.0', '224.0.0.1', '169.254.7.7', '10.0.0.7']
  dns.set('A', name, { records, ttlSeconds: 1 })
  dns.set('AAAA', name, { records: ['fe80::1', '::1', 'fd00:ec2::254'] })
  const watched = await watch(t, dns)
  t.same(watched.origins, ['https://10.0.0.7:8000'])
  t.same(watched.last?.refused, { metadata: 2, loopback: 2, unspecified: 1, multicast: 1, link_local: 2 })
  dns.set('A', name, { records: ['169.254.169.254'] })
  await watched.next(1_000)
  t.same(watched.origins, ['https://10.0.0.7:8000'], 'rebinding: the last good set stays')
  t.equal(watched.last?.result, 'empty')
})

t.test('a thousand addresses are sorted and cut', async (t) => {
  const dns = await open(t)
  const records = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`)
  dns.set('A', name, { records: records.toReversed() })
  const watched = await watch(t, dns, { timeoutMs: 5_000 })
  t.equal(watched.origins.length, 64)
  t.equal(watched.last?.cut, 936)
  const sorted = records.map((address) => `https://${address}:8000`).sort()
  t.same(watched.origins, sorted.slice(0, 64))
})

t.test('services: target, port, priority and weight', async (t) => {
  const dns = await open(t)
  const pod = (n: number): string => `pod-${n}.${name}`
  const record = (n: number, priority: number) => ({
    target: pod(n),
    port: 8_000 + n,
    priority,
    weight: 10 * n,
  })
  dns.set('SRV', srvName, { records: [record(1, 1), record(0, 0)] })
  dns.set('A', pod(0), { records: ['10.0.0.10'], ttlSeconds: 3 })
  dns.set('A', pod(1), { records: ['10.0.0.11'], ttlSeconds: 9 })
  const watched = await watch(t, dns, { source: srv })
  // The name of the operator, not the one that an answer gave: see DnsSource.
  const [first, second] = watched.endpoints.endpoints
  t.same(first, { origin: 'https://10.0.0.10:8000', serverName: name, priority: 0, weight: 0 })
  t.same(second, { origin: 'https://10.0.0.11:8001', serverName: name, priority: 1, weight: 10 })
  dns.set('SRV', srvName, { records: [record(1, 0)] })
  await watched.next(3_000)
  t.match(watched.changes[1], {
    added: [],
    removed: [{ origin: 'https://10.0.0.10:8000' }],
    altered: [{ origin: 'https://10.0.0.11:8001', priority: 0 }],
  })
  dns.set('SRV', srvName, 'silence')
  dns.set('A', pod(1), { records: ['10.0.0.12'], ttlSeconds: 1 })
  await watched.next(9_000)
  t.same(watched.origins, ['https://10.0.0.12:8001'], 'known targets are still asked for')
  t.equal(watched.last?.result, 'partial')
})

t.test('services of which one has no address, and one may not be called', async (t) => {
  const dns = await open(t)
  const target = (n: number): string => `pod-${n}.${name}`
  dns.set('SRV', srvName, { records: [0, 1, 2].map((n) => ({ target: target(n), port: 8_000 })) })
  dns.set('A', target(0), { records: ['10.0.0.10'] })
  dns.set('A', target(2), { records: ['127.0.0.1'] })
  const watched = await watch(t, dns, { source: srv })
  t.same(watched.origins, ['https://10.0.0.10:8000'])
  t.match(watched.last, { result: 'ok', refused: { loopback: 1 } })
})

t.test('services beyond the bound are not even asked for', async (t) => {
  const dns = await open(t)
  const records = Array.from({ length: 1_000 }, (_, n) => ({ target: `p${n}.test`, port: 8_000 }))
  dns.set('SRV', srvName, { records })
  const watched = await watch(t, dns, { source: srv, endpointsMax: 3, timeoutMs: 5_000 })
  t.same(watched.origins, [])
  t.equal(dns.asked.filter((question) => !question.startsWith('SRV')).length, 6)
})

t.test('an address, and this machine, need no DNS', async (t) => {
  const dns = await open(t)
  const fixed = async (host: string): Promise<Watched> =>
    await watch(t, dns, { source: { kind: 'a', name: host, scheme: 'http', port: 8_000 } })
  const expected = {
    '10.0.0.7': [{ origin: 'http://10.0.0.7:8000', serverName: undefined }],
    '127.0.0.1': [{ origin: 'http://127.0.0.1:8000', serverName: undefined }],
    'fd00::7': [{ origin: 'http://[fd00::7]:8000', serverName: undefined }],
    localhost: [{ origin: 'http://127.0.0.1:8000', serverName: 'localhost' }],
    '169.254.169.254': [],
  }
  for (const [host, endpoints] of Object.entries(expected)) {
    const watched = await fixed(host)
    t.match(watched.endpoints.endpoints, endpoints, host)
    t.equal(watched.origins.length, endpoints.length, host)
    t.equal(await watched.roundsIn(1_000_000), 0, 'once')
  }
  t.same(dns.asked, [])
})

t.test('names in .localhost may be this machine', async (t) => {
  const dns = await open(t)
  dns.set('A', 'vllm.localhost', { records: ['127.0.0.1'] })
  const watched = await watch(t, dns, { source: { ...source, name: 'vllm.localhost' } })
  t.same(watched.origins, ['https://127.0.0.1:8000'])
})

t.test('rounds do not overlap, and one that takes too long is ended', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 1 })
  const watched = await watch(t, dns, { timeoutMs: 60_000, roundMsMax: 3_000 })
  dns.set('A', name, 'silence')
  await watched.clock.advance(1_000)
  t.equal(await watched.roundsIn(2_999), 0)
  const asked = dns.asked.length
  t.ok(asked <= 4, 'one round is under way, no more')
  await watched.next(1)
  t.match(watched.last, { result: 'failed', code: 'ECANCELLED', kept: true })
})

t.test('nothing after close', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 1 })
  const watched = await watch(t, dns)
  await watched.endpoints.close()
  t.equal(watched.clock.sleepers, 0)
  t.equal(await watched.roundsIn(100_000), 0)
  t.same(watched.origins, ['https://10.0.0.7:8000'], 'what was known stays')

  dns.set('A', name, 'silence')
  const silent = new Watched(dns, { timeoutMs: 60_000 })
  await silent.endpoints.close()
  t.equal(silent.readings.length, 0, 'a round under way tells nobody')
  t.equal(silent.clock.sleepers, 0)
})

t.test('gateways that began together do not ask together', async (t) => {
  const dns = await open(t)
  dns.set('A', name, { records: ['10.0.0.7'], ttlSeconds: 10 })
  const early = await watch(t, dns, { random: () => 0 })
  t.equal(await early.roundsIn(8_999), 0)
  await early.next(1)
  t.equal(early.readings.length, 2)
})

const address = fc.constantFrom(
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.4',
  '127.0.0.1',
  '169.254.169.254',
)
const behavior = fc.oneof(
  { weight: 3, arbitrary: fc.uniqueArray(address).map((records) => ({ records, ttlSeconds: 1 })) },
  fc.constantFrom('servfail' as const, 'nxdomain' as const, 'refused' as const),
)

/** What the endpoints must be, by the records alone. */
class SimulatedSet {
  origins: string[] = []
  #goodAt: number

  constructor(at: number) {
    this.#goodAt = at
  }

  round(records: readonly string[], at: number): void {
    const allowed = records.filter((record) => record.startsWith('10.')).sort()
    if (allowed.length > 0) {
      this.origins = allowed.slice(0, 3).map((record) => `https://${record}:8000`)
      this.#goodAt = at
    } else if (at - this.#goodAt > 3_000) this.origins = []
  }
}

function addedUp(t: Test, changes: readonly EndpointChange[]): string[] {
  const members = new Set<string>()
  for (const { added, removed, altered } of changes) {
    t.ok(added.length + removed.length + altered.length > 0, 'a change changes something')
    for (const { origin } of removed) t.ok(members.delete(origin))
    for (const { origin } of added) t.ok(!members.has(origin) && members.add(origin))
  }
  return [...members].sort()
}

t.test('whatever the server answers, the invariants hold', async (t) => {
  const dns = await open(t)
  await fc.assert(
    fc.asyncProperty(fc.array(behavior, { minLength: 1, maxLength: 8 }), async (behaviors) => {
      dns.set('A', name, { records: [] })
      const watched = new Watched(dns, { endpointsMax: 3, staleMsMax: 3_000, refreshMsMax: 1_000 })
      await watched.endpoints.ready
      const expected = new SimulatedSet(watched.clock.monotonic())
      for (const next of behaviors) {
        dns.set('A', name, next)
        await watched.next(1_000)
        expected.round(typeof next === 'string' ? [] : next.records, watched.clock.monotonic())
        t.same(watched.origins, expected.origins)
      }
      t.same(addedUp(t, watched.changes), expected.origins)
      await watched.endpoints.close()
    }),
    { numRuns: 25 },
  )
})
