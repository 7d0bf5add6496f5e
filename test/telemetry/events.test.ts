import fc from 'fast-check'
import t from 'tap'
import { cleanText } from '../../src/telemetry/clean-text.ts'
import { createEvents, type Events } from '../../src/telemetry/events.ts'
import type { ExchangeSummary } from '../../src/telemetry/exchange-summary.ts'
import { KnownNames } from '../../src/telemetry/known-names.ts'
import { createLog, type LogLevel, type LogOptions } from '../../src/telemetry/log.ts'

const secret = 'sk-proj-4f8a1c0d9e7b6a5f4e3d2c1b0a99887766554433'

function make(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const names = new KnownNames()
  names.learn('model', ['demo'])
  const log = createLog({
    level: 'debug',
    format: 'json',
    ...options,
    stream: { write: (line) => lines.push(line) },
  })
  return { lines, log, events: createEvents(log, names), parsed: () => lines.map((line) => JSON.parse(line)) }
}

const summary: ExchangeSummary = {
  endpoint: 'chat.completions',
  method: 'POST',
  model: 'demo',
  status: 200,
  outcome: 'completed',
  durationMs: 12.34567,
  usage: { inputTokens: 3, outputTokens: 4 },
  findings: [
    { entity: 'PERSON', direction: 'prompt', action: 'shadow', count: 9 },
    { entity: 'EMAIL_ADDRESS', direction: 'prompt', action: 'mask', count: 2 },
    { entity: 'CREDIT_CARD', direction: 'reply', action: 'mask', count: 1 },
  ],
  injection: [
    { kind: 'known_phrasing', count: 2 },
    { kind: 'exfiltration_link', count: 1 },
  ],
}

/** Each line of the closed list, with `text` wherever a string may be given. */
const each: { [E in keyof Events]: (events: Events, text: string) => unknown } = {
  exchangeEnded: (events, text) =>
    events.exchangeEnded(
      { ...summary, model: text, endpoint: text as 'models' },
      {
        requestId: text,
        principal: text,
        tenant: text,
        remoteAddress: text,
        upstream: text,
        policy: text,
        detail: text,
      },
    ),
  failure: (events, text) => events.failure(new Error(text, { cause: text }), text),
  tlsClientRefused: (events, text) => events.tlsClientRefused(text, text),
  opsAnswered: (events, text) =>
    events.opsAnswered({ operation: text, status: 200, remoteAddress: text } as never),
  limitDocumentRejected: (events, text) => events.limitDocumentRejected(text, text),
  limitsUnreadable: (events, text) => events.limitsUnreadable(new Error(text)),
  quotaStoreAway: (events, text) => events.quotaStoreAway('timeout', new Error(text)),
  quotaStoreBack: (events) => events.quotaStoreBack(7.5),
  quotaKeyRepaired: (events, text) => events.quotaKeyRepaired(text),
  started: (events, text) => events.started({ version: text, node: text, policy: text }),
  listening: (events, text) => events.listening(text, text),
  runtimeBelowFloor: (events, text) => events.runtimeBelowFloor(text, text),
  drainStarted: (events) => events.drainStarted(3, 1000),
  drainEnded: (events) => events.drainEnded(1, 1000),
  stopped: (events) => events.stopped(),
  auditUnhealthy: (events, text) => events.auditUnhealthy(Object.assign(new Error(text), { code: text })),
  auditRecovered: (events) => events.auditRecovered(7),
  upstreamDown: (events, text) => events.upstreamDown(text, text, text, 1),
  upstreamPanic: (events, text) => events.upstreamPanic(text, 'panic'),
  upstreamLookup: (events, text) => events.upstreamLookup(text, text, true),
  upstreamServers: (events, text) => events.upstreamServers(text, [text], [text]),
  upstreamUp: (events, text) => events.upstreamUp(text, text),
  recognizerDown: (events, text) => events.recognizerDown(text as 'timeout'),
  recognizerUp: (events) => events.recognizerUp(),
  workerStarted: (events) => events.workerStarted(1),
  workerEnded: (events, text) => events.workerEnded(1, text, 100),
  workerStartFailed: (events, text) => events.workerStartFailed(1, text),
  workersDraining: (events) => events.workersDraining(2),
  recognizerRejected: (events, text) => events.recognizerRejected(new Error(text)),
  configReloaded: (events, text) => events.configReloaded(text),
  configRejected: (events, text) => events.configRejected(Array(1000).fill(text), text),
  tlsReloaded: (events, text) => events.tlsReloaded('traffic', text, Number.NaN),
  tlsWarning: (events, text) => events.tlsWarning('traffic', text, text),
  tlsRejected: (events, text) => events.tlsRejected('traffic', new Error(text)),
  keysReloaded: (events, text) => events.keysReloaded(text),
  keysUnavailable: (events, text) => events.keysUnavailable(text, text),
  upstreamsRejected: (events, text) => events.upstreamsRejected(new Error(text)),
  configNeedsRestart: (events, text) => events.configNeedsRestart([text]),
  revocationsReloaded: (events) => events.revocationsReloaded(1, 2),
  revocationsRejected: (events, text) => events.revocationsRejected(new Error(text)),
}

const hostile = [
  '\n{"level":60,"message":"forged"}',
  '\r\n{"level":"error"}\r\n',
  '\u001b[31mred\u001b[0m\u001b]0;title\u0007',
  'a\u2028b\u2029c\u0085d\u009b31me',
  '\u202egnp.exe\u2066\u200b\ufeff',
  '\u0000\u0008\u007f',
  '\ud800 alone \udc00',
  '","level":"error","x":"',
  'x'.repeat(1 << 20),
  '\n'.repeat(1 << 20),
]
// Everything that ends a line, moves a cursor or turns the reading direction.
const moving = /[^\u0020-\u007e\u00a0-\uffff]|[\u0080-\u009f\u2028-\u202e\u2066-\u2069\u200b\ufeff]/

function faultsOf(lines: string[]): string[] {
  const line = lines[0] ?? ''
  const faults: string[] = []
  if (lines.length !== 1 || !line.endsWith('\n')) faults.push('not one line')
  if (moving.test(line.slice(0, -1))) faults.push('moves')
  if (line.length >= 8_000) faults.push(`${line.length} characters`)
  if (line.split('"level":"').length !== 2) faults.push('not one level')
  const { level, message } = JSON.parse(line)
  if (!['debug', 'info', 'warn', 'error'].includes(level) || message === 'forged') faults.push('forged')
  return faults
}

t.test('one bounded line an event, whatever the strings are', (t) => {
  for (const [name, emit] of Object.entries(each)) {
    for (const [index, text] of hostile.entries()) {
      const { lines, events } = make()
      emit(events, text)
      t.same(faultsOf(lines), [], `${name}, text ${index}`)
    }
  }
  t.end()
})

t.test('the pretty form is one line too', (t) => {
  for (const emit of Object.values(each)) {
    for (const text of hostile) {
      const { lines, events } = make({ format: 'pretty' })
      emit(events, text)
      t.equal(lines.length, 1)
      t.notMatch((lines[0] ?? '').slice(0, -1), moving)
    }
  }
  const { lines, events } = make({ format: 'pretty' })
  events.listening('traffic', 'https://127.0.0.1:8443')
  t.match(
    lines[0],
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}traffic listens on https:\/\/127\.0\.0\.1:8443 listener=traffic origin=/,
  )
  t.end()
})

t.test('an unknown model, a foreign message and an address that is none are not shown', (t) => {
  const { lines, events, parsed } = make()
  events.exchangeEnded({ ...summary, model: secret }, { requestId: 'r1', remoteAddress: secret })
  events.failure(new Error(secret, { cause: new SyntaxError(secret) }))
  events.upstreamDown('gpu', 'https://127.0.0.1:8000', 'calls_failed', 1_000)
  t.notMatch(lines.join(''), secret)
  t.equal(parsed()[0].model, '_other')
  t.notHas(parsed()[0], 'remote')
  t.end()
})

t.test('the line of an exchange', (t) => {
  const { events, parsed } = make()
  events.exchangeEnded(summary, {
    requestId: 'r1',
    principal: 'idp/alice',
    tenant: 'acme',
    remoteAddress: '::1',
    attempts: 1,
  })
  const [line] = parsed()
  t.match(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.match(line, {
    level: 'info',
    event: 'exchange.ended',
    message: 'chat.completions 200 completed',
    request_id: 'r1',
    endpoint: 'chat.completions',
    model: 'demo',
    status: 200,
    outcome: 'completed',
    principal: 'idp/alice',
    tenant: 'acme',
    remote: '::1',
    duration_ms: 12.346,
    input_tokens: 3,
    output_tokens: 4,
    redactions: 3,
    injection_signals: ['known_phrasing', 'exfiltration_link'],
    attempts: 1,
  })
  t.notHas(line, 'refusal')
  t.notHas(line, 'pid')
  t.end()
})

t.test('the short id of a failure is in its line', (t) => {
  const { events, parsed } = make()
  const id = events.failure(new Error('x'), 'r9')
  t.match(id, /^[0-9a-f]{8}$/)
  t.match(parsed()[0], {
    level: 'error',
    event: 'failure',
    failure_id: id,
    request_id: 'r9',
    error: ['Error'],
  })
  t.end()
})

t.test('the level holds, and changes at once', (t) => {
  const { events, log, lines } = make({ level: 'warn' })
  events.stopped()
  t.equal(lines.length, 0)
  for (const level of ['info', 'error'] as LogLevel[]) {
    log.setLevel(level)
    events.stopped()
  }
  t.equal(lines.length, 1)
  t.end()
})

t.test('cleaned text is short, stable and free of what moves (property)', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.integer({ min: 1, max: 300 }),
      (text, max) => {
        const clean = cleanText(text, max)
        t.ok(clean.length <= max)
        t.equal(cleanText(clean, max), clean)
        t.ok(clean.isWellFormed())
      },
    ),
    { numRuns: 100 },
  )
  t.equal(cleanText('Grüße, 你好 👋'), 'Grüße, 你好 👋', 'honest text stays')
  t.end()
})
