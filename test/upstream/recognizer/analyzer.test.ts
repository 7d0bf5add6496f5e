import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import {
  AnalyzerFault,
  type AnalyzerFaultReason,
  type AnalyzerOptions,
  createAnalyzer,
} from '../../../src/upstream/recognizer/analyzer.ts'
import { analyzerTarget } from '../../../src/upstream/recognizer/analyzer-target.ts'
import { makePair } from '../../support/certificates.ts'
import { startChild } from '../../support/child.ts'
import { type Answer, json, startSimulatedAnalyzer } from '../../support/simulated-analyzer.ts'
import { freePorts, until } from '../../support/stack.ts'

const fault = (reason: AnalyzerFaultReason): AnalyzerFault => new AnalyzerFault(reason)
const calm = () => new AbortController().signal
const text = '😀 Ada Lovelace met Zaphod in London'

/** An analyzer of a service, what it reported, and the end of it. */
function clientOf(url: string, more: Partial<AnalyzerOptions> = {}) {
  const faults: AnalyzerFaultReason[] = []
  let answers = 0
  const observer = {
    answered: () => void answers++,
    failed: (reason: AnalyzerFaultReason) => void faults.push(reason),
  }
  const analyzer = createAnalyzer({ url, language: 'en', scoreMin: 0.5, observer, ...more })
  return {
    faults,
    answered: () => answers,
    analyze: (asked = text, signal = calm()) => analyzer.analyze(asked, signal),
    [Symbol.asyncDispose]: () => analyzer.close(),
  }
}

const shown = (whole: string, found: readonly { entity: string; start: number; end: number }[]) =>
  found.map(({ entity, start, end }) => `${entity} ${whole.slice(start, end)}`)

t.test('a process that speaks the protocol: places are code units, whatever it counts', async (t) => {
  const child = startChild(process.execPath, [
    join(import.meta.dirname, '../../support/simulated-analyzer.ts'),
  ])
  try {
    await child.until(/on \S+\n/)
    const url = /on (\S+)\n/.exec(child.out)?.[1] as string
    await using client = clientOf(url)
    t.same(shown(text, await client.analyze()), ['PERSON Ada Lovelace', 'PERSON Zaphod', 'LOCATION London'])
    t.same(await client.analyze('nobody'), [])
    child.process.kill('SIGKILL')
    await child.ended
    await t.rejects(client.analyze(), fault('unreachable'))
    t.same([client.answered(), client.faults], [2, ['unreachable']])
  } finally {
    child.process.kill('SIGKILL')
  }
})

t.test('what is sent', async (t) => {
  await using service = await startSimulatedAnalyzer()
  await using client = clientOf(service.url, { entities: ['PERSON'], apiKey: () => 'key-1' })
  t.same(shown(text, await client.analyze()), ['PERSON Ada Lovelace', 'PERSON Zaphod'])
  const [{ headers, ...asked } = { headers: {} }] = service.asked
  t.same(asked, { text, language: 'en', score_threshold: 0.5, entities: ['PERSON'] })
  t.match(headers, { 'content-type': 'application/json', authorization: 'Bearer key-1' })
})

t.test('mutual TLS, and nobody else', async (t) => {
  const { ca, server, client: identity } = await makePair(['spiffe://td.test/gateway'])
  const tls = { cert: server.cert, key: server.key, ca: ca.cert }
  await using service = await startSimulatedAnalyzer({ tls })
  const own = { ca: ca.cert, certificate: identity.cert, key: identity.key }
  await using good = clientOf(service.url, { tls: own })
  t.equal((await good.analyze()).length, 3)
  const { ca: stranger } = await makePair(['spiffe://td.test/other'])
  for (const wrong of [{ ca: ca.cert }, { ...own, ca: stranger.cert }]) {
    await using client = clientOf(service.url, { tls: wrong })
    await t.rejects(client.analyze(), fault('unreachable'))
  }
  t.equal(service.asked.length, 1)
})

t.test('where texts may be sent', (t) => {
  for (const good of [
    'https://presidio.internal/analyze',
    'http://127.0.0.1:3000/analyze',
    'http://localhost/a',
  ])
    t.ok(analyzerTarget(good))
  for (const bad of [
    'http://presidio.internal/analyze',
    'http://127.0.0.1.evil.example/analyze',
    'https://user:pass@presidio.internal/',
    'file:///etc/passwd',
    'presidio',
  ])
    t.throws(() => analyzerTarget(bad), TypeError)
  t.end()
})

const result = (fields: object = {}) => ({ entity_type: 'PERSON', start: 2, end: 5, score: 0.9, ...fields })
const raw =
  (body: string | Uint8Array, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)

const hostile: Record<string, readonly [AnalyzerFaultReason, Answer]> = {
  'an error': ['status', json({ error: 'no' }, 500)],
  'a redirect': ['status', json('', 302, { location: 'http://127.0.0.1:1/analyze' })],
  'an empty success': ['status', (response) => response.writeHead(204).end()],
  'a page': ['content_type', raw('<html>', { 'content-type': 'text/html' })],
  'a compressed body': ['content_type', raw('x', { 'content-encoding': 'gzip' })],
  'half of JSON': ['invalid_json', raw('[{"entity_type": "PERSON", "start": 0')],
  'bytes that are no text': ['invalid_json', raw(new Uint8Array([91, 0xff, 93]))],
  nothing: ['invalid_json', raw('')],
  'JSON that is very deep': ['invalid_results', raw(`${'['.repeat(90_000)}${']'.repeat(90_000)}`)],
  'an object': ['invalid_results', json({ results: [] })],
  'null results': ['invalid_results', json([null])],
  'a name that is a number': ['invalid_results', json([result({ entity_type: 7 })])],
  'places in words': ['invalid_results', json([result({ start: '2' })])],
  'half places': ['invalid_results', json([result({ start: 1.5 })])],
  'a place before the text': ['invalid_results', json([result({ start: -1 })])],
  'a place behind the text': ['invalid_results', json([result({ end: text.length })])],
  'a place far behind the text': ['invalid_results', json([result({ end: 2 ** 60 })])],
  'places turned round': ['invalid_results', json([result({ start: 5, end: 2 })])],
  'an empty place': ['invalid_results', json([result({ start: 5, end: 5 })])],
  'no score': ['invalid_results', json([result({ score: undefined })])],
  'a score that is too good': ['invalid_results', json([result({ score: 1.1 })])],
  'one bad result among good ones': ['invalid_results', json([result(), result({ end: 99 }), result()])],
  'too many results': ['invalid_results', json(Array.from({ length: 99 }, () => result()))],
  'a reply without an end': [
    'reply_too_large',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    },
  ],
  'a connection that is cut': ['unreachable', (response) => response.destroy()],
  'a body that is cut': [
    'unreachable',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '99' }).write('[')
      setImmediate(() => response.destroy())
    },
  ],
  'no answer': ['timeout', () => undefined],
  'a head and no body': [
    'timeout',
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders(),
  ],
}

for (const [name, [reason, answer]] of Object.entries(hostile)) {
  t.test(`${name} is a fault, and nothing found only where that was chosen`, async (t) => {
    await using service = await startSimulatedAnalyzer({ answer })
    const bounds = {
      timeoutMs: reason === 'timeout' ? 100 : 20_000,
      replyBytesMax: 300_000,
      resultsMax: 32,
      textUnitsMax: 1_000,
    }
    await using closed = clientOf(service.url, { bounds })
    const error = await closed.analyze().then(
      () => undefined,
      (fault: Error) => fault,
    )
    t.match(error, { name: 'AnalyzerFault', reason })
    t.notMatch(String(error), 'Ada', 'nothing of the text is in the error')
    t.same(closed.faults, [reason])
    await using open = clientOf(service.url, { bounds, failOpen: true })
    t.same(await open.analyze(), [])
    t.same(open.faults, [reason])
  })
}

t.test('names that are none, or were not asked for, are masked under another', async (t) => {
  const names = ['person', 'PERSON"} 1\n', '', 'X'.repeat(65), 'LOCATION', 'PERSON']
  const results = names.map((entity_type, at) => result({ entity_type, start: at * 3, end: at * 3 + 2 }))
  await using service = await startSimulatedAnalyzer({ answer: json(results) })
  await using client = clientOf(service.url, { entities: ['PERSON'] })
  const found = await client.analyze()
  t.same(
    found.map(({ entity }) => entity),
    ['OTHER', 'OTHER', 'OTHER', 'OTHER', 'OTHER', 'PERSON'],
  )
})

t.test('results that overlap are one, named by the surest; faint ones are none', async (t) => {
  const answer = json([
    result({ start: 9, end: 14, score: 0.4 }),
    result({ start: 4, end: 8, score: 0.6, entity_type: 'LOCATION' }),
    result({ start: 2, end: 5, score: 0.9 }),
    result({ start: 8, end: 9, score: 0.7, entity_type: 'NRP' }),
  ])
  await using service = await startSimulatedAnalyzer({ answer })
  await using client = clientOf(service.url)
  t.same(
    (await client.analyze('0123456789abcdef')).map(({ entity, start, end }) => [entity, start, end]),
    [
      ['PERSON', 2, 8],
      ['NRP', 8, 9],
    ],
  )
})

t.test('a long text goes in slices, and what lies over a cut is found once', async (t) => {
  await using service = await startSimulatedAnalyzer()
  const bounds = { sliceUnits: 400, overlapUnits: 60 }
  await using client = clientOf(service.url, { bounds })
  for (const filler of ['so on ', '😀', 'x']) {
    for (let shift = 0; shift < 40; shift += 3) {
      const words = `${filler.repeat(60)}${'-'.repeat(shift)} Ada Lovelace ${filler.repeat(120)} London`
      t.same(shown(words, await client.analyze(words)), ['PERSON Ada Lovelace', 'LOCATION London'])
    }
  }
  t.ok(
    service.asked.length > 60 && service.asked.every(({ text }) => text.length <= 400 && text.isWellFormed()),
  )
  await using short = clientOf(service.url, { bounds: { textUnitsMax: 10 } })
  await t.rejects(short.analyze('x'.repeat(11)), fault('text_too_long'))
  t.same(await short.analyze('x'.repeat(10)), [])
})

t.test('more at one time than are carried and wait is a fault at once', async (t) => {
  const held: (() => void)[] = []
  await using service = await startSimulatedAnalyzer({
    answer: (response, request) => held.push(() => json([])(response, request)),
  })
  await using client = clientOf(service.url, {
    bounds: { connectionsMax: 2, waitingMax: 1, timeoutMs: 20_000 },
  })
  const three = [client.analyze(), client.analyze(), client.analyze()]
  await t.rejects(client.analyze(), fault('busy'))
  await until(() => held.length === 2)
  t.equal(service.asked.length, 2, 'the third waits for a connection')
  while (client.answered() < 3) {
    held.shift()?.()
    await new Promise(setImmediate)
  }
  t.same(await Promise.all(three), [[], [], []])
  t.same(
    await Promise.all([client.analyze(), until(() => held.length === 1).then(() => held.shift()?.())]).then(
      ([found]) => found,
    ),
    [],
  )
})

t.test('a service that fails is left alone for a while, then asked once', async (t) => {
  let now = 0
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  await using service = await startSimulatedAnalyzer({ answer: json('', 500) })
  await using client = clientOf(service.url, { clock, bounds: { failuresMax: 3, openMs: 1_000 } })
  for (let call = 0; call < 6; call++) await t.rejects(client.analyze())
  t.equal(service.asked.length, 3)
  t.same(client.faults.slice(3), ['circuit_open', 'circuit_open', 'circuit_open'])
  now = 1_000
  const both = await Promise.allSettled([client.analyze(), client.analyze()])
  t.same(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.equal(service.asked.length, 4, 'one request tries it out')
  service.answer = json([])
  await t.rejects(client.analyze(), fault('circuit_open'))
  now = 2_000
  t.same(await client.analyze(), [])
  t.same(await client.analyze(), [])
})

t.test('a caller who leaves ends the request, which counts for nothing', async (t) => {
  const gone = Promise.withResolvers<void>()
  await using service = await startSimulatedAnalyzer({
    answer: (response) => response.on('close', () => gone.resolve()),
  })
  await using client = clientOf(service.url, {
    failOpen: true,
    bounds: { failuresMax: 1, timeoutMs: 20_000 },
  })
  const caller = new AbortController()
  const reply = client.analyze(text, caller.signal)
  await until(() => service.asked.length === 1)
  caller.abort(new Error('the caller has left'))
  await t.rejects(reply, /the caller has left/)
  await gone.promise
  t.same(client.faults, [])
  service.answer = json([])
  t.same(await client.analyze(), [])
})

t.test('a service that is not there, and one that is something else', async (t) => {
  const [port] = await freePorts(1)
  await using nobody = clientOf(`http://127.0.0.1:${port}/analyze`)
  await t.rejects(nobody.analyze(), fault('unreachable'))
  const other = createServer((_request, response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  await using client = clientOf(`http://127.0.0.1:${(other.address() as AddressInfo).port}/analyze`)
  await t.rejects(client.analyze(), fault('unreachable'))
  other.closeAllConnections()
  other.close()
})
