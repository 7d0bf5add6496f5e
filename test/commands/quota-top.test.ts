import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { type Usage, usageOf } from '../../src/commands/quota/answers.ts'
import { type Shown, screenLines, sortedBuckets } from '../../src/commands/quota/top-screen.ts'
import { noPaint, paint, widthOf } from '../../src/commands/table.ts'
import { refusal, type SimulatedOps, startSimulatedOps } from '../support/simulated-ops.ts'
import { runOps } from './run-ops.ts'
import { simulatedTerminal } from './simulated-terminal.ts'

const bucket = (tenant: string, share: number, limit = 'tokens') => ({
  key: `${limit}|total_tokens/minute|tenant=${encodeURIComponent(tenant)}`,
  limit,
  dimensions: { tenant },
  counts: 'total_tokens',
  per: 'minute',
  amount: 100_000,
  burst: 100_000,
  used: Math.floor(share * 100_000),
  remaining: 100_000 - Math.floor(share * 100_000),
  share,
  reset_ms: Math.ceil(share * 60_000),
  source: 'config',
  mode: 'enforce',
})
const body = {
  buckets: [bucket('calm', 0.1), bucket('busy', 1.2), bucket('near', 0.9)],
  cursor: '',
  throttled: [
    { limit: 'tokens', tenant: 'busy', refused: 1234, shadowed: 2, last_at: '2026-08-01T12:03:04Z' },
    { limit: 'tokens', tenant: 'calm', refused: 2000, shadowed: 0, last_at: '2026-08-01T12:03:03Z' },
  ],
  store: {
    kind: 'redis',
    available: false,
    replicas: 3,
    backlog: 17,
    away_since: '2026-08-01T12:02:00Z',
  },
}
const nowMs = Date.parse('2026-08-01T12:03:05Z')
const shown: Shown = {
  origin: 'https://localhost:9443',
  sorting: 'share',
  tenant: undefined,
  intervalSeconds: 2,
  failure: undefined,
  nowMs,
}
const size = { columns: 200, rows: 40, paint: noPaint }
const linesOf = (usage: Usage, more: Partial<Shown> = {}) =>
  screenLines({ usage, atMs: nowMs }, { ...shown, ...more }, size)
const keysOf = (usage: Usage, by: Shown['sorting']): string[] =>
  sortedBuckets(usage, by).map(({ dimensions }) => dimensions['tenant'] as string)

t.test('who is throttled and by what, the fullest first, and how the store is', (t) => {
  const lines = linesOf(usageOf(body))
  t.same(lines.slice(0, 3), [
    'quota top by share  12:03:05 UTC  every 2 s  https://localhost:9443',
    'store redis AWAY for 1 min 5 s (since 12:02:00 UTC)  replicas 3  backlog 17',
    '3 buckets, 1 full; 2 throttled in the last 5 minutes, on this replica',
  ])
  const text = lines.join('\n')
  t.match(text, /^tokens +calm +2k +0 +12:03:03 UTC\ntokens +busy +1\.2k +2 +12:03:04 UTC$/m)
  t.match(
    text,
    /^120 % +\[#{10}\] +tokens +tenant=busy +120k +100k +-20k +1 min 12 s +1\.2k +config\n +90 % +\[#{9}\.\]/m,
  )
  t.match(
    linesOf(usageOf(body), { failure: 'gone', nowMs: nowMs + 5000 }).join('\n'),
    /^No news for 5 s: gone$/m,
  )
  t.end()
})

t.test('sorting: by share, by use, by refusals; equals keep their places', (t) => {
  const usage = usageOf(body)
  t.same(keysOf(usage, 'share'), ['busy', 'near', 'calm'])
  t.same(keysOf(usage, 'used'), ['busy', 'near', 'calm'])
  t.same(keysOf(usage, 'refused'), ['calm', 'busy', 'near'])
  const equal = usageOf({ ...body, buckets: ['b', 'a', 'c'].map((tenant) => bucket(tenant, 0.5)) })
  t.same(keysOf(equal, 'share'), ['a', 'b', 'c'])
  t.end()
})

t.test('whatever the gateway says, no line is wider or says anything to the terminal', (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constant('\u001b[2J\r'),
  )
  const number = fc.oneof(fc.double(), fc.integer(), fc.constant(null))
  const anyBucket = fc.record({
    key: text,
    limit: text,
    used: number,
    burst: number,
    share: number,
    source: text,
  })
  const throttled = fc.record({ limit: text, tenant: text, refused: number, last_at: text })
  const anyBody = fc.record({
    buckets: fc.array(anyBucket),
    cursor: text,
    throttled: fc.array(throttled),
    store: fc.record({ kind: text, replicas: text, available: fc.boolean(), away_since: text }),
  })
  const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
  fc.assert(
    fc.property(
      anyBody,
      text,
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 50 }),
      (...args) => {
        const [answer, failure, columns, rows] = args
        const screen = { columns, rows, paint: noPaint }
        const told = { ...shown, failure, tenant: failure }
        const lines = screenLines({ usage: usageOf(answer), atMs: nowMs }, told, screen)
        return lines.length <= rows && lines.every((line) => widthOf(line) <= columns && !control.test(line))
      },
    ),
  )
  t.pass('no counterexample')
  t.end()
})

async function watched(terminal = simulatedTerminal(), args: readonly string[] = []) {
  const ops: SimulatedOps = await startSimulatedOps()
  ops.answers.set('GET /admin/v1/usage', { status: 200, body })
  const ended = Promise.withResolvers<void>()
  const parts: string[] = []
  const frame = { waiting: Promise.withResolvers<void>() }
  const running = runOps(ops, ['quota', 'top', '--interval', '0.5', ...args], {
    terminal,
    out: (text) => {
      parts.push(text)
      frame.waiting.resolve()
    },
    exit: () => ended.resolve(),
  })
  const next = async (): Promise<void> => {
    frame.waiting = Promise.withResolvers<void>()
    await frame.waiting.promise
  }
  const end = async (): Promise<void> => {
    await ended.promise
    await running.catch(() => {})
    await ops.stop()
  }
  return { ops, terminal, parts, next, end }
}

t.test('on a terminal: a screen of its own, keys, and everything given back', async (t) => {
  const { ops, terminal, parts, next, end } = await watched()
  while (terminal.listener === undefined || parts.length < 2) await next()
  t.equal(parts[0], '\u001b[?1049h\u001b[?25l')
  t.ok(parts[1]?.startsWith('\u001b[Hquota top by share'))
  t.ok(parts[1]?.includes('\u001b[K\r\n'))
  terminal.listener?.key('s')
  t.match(parts.at(-1), /by used/)
  terminal.columns = 30
  terminal.listener?.resized()
  const plainText = stripVTControlCharacters(parts.at(-1) as string)
  t.ok(plainText.split('\r\n').every((line) => line.length <= 30))
  const asked = ops.asked.length
  while (ops.asked.length === asked) await next()
  terminal.listener?.key('q')
  await end()
  t.equal(parts.at(-1), '\u001b[?25h\u001b[?1049l')
  t.equal(terminal.listener, undefined)
})

t.test('Ctrl-C and a reader that is gone end it the same way', async (t) => {
  const { terminal, parts, next, end } = await watched()
  while (terminal.listener === undefined) await next()
  terminal.listener?.stopped()
  await end()
  t.equal(parts.at(-1), '\u001b[?25h\u001b[?1049l')
  t.equal(terminal.listener, undefined)
})

t.test('a gateway that stops answering is said, and the last figures stay', async (t) => {
  const { ops, terminal, parts, next, end } = await watched()
  while (terminal.listener === undefined || parts.length < 2) await next()
  ops.answers.set('GET /admin/v1/usage', refusal(503, 'quota_unavailable', 'evil \u001b[2J'))
  while (!/No news for/.test(parts.at(-1) as string)) await next()
  t.match(parts.at(-1), /No news for .+503 quota_unavailable/)
  t.notOk(parts.at(-1)?.includes('\u001b[2J'))
  t.match(parts.at(-1), /tenant=busy/)
  ops.answers.set('GET /admin/v1/usage', { status: 200, body })
  while (/No news for/.test(parts.at(-1) as string)) await next()
  terminal.listener?.key('Q')
  await end()
  t.equal(terminal.listener, undefined)
})

t.test('no color where the terminal shows none', async (t) => {
  for (const colors of [true, false]) {
    const { terminal, parts, next, end } = await watched(simulatedTerminal({ colors }))
    while (terminal.listener === undefined || parts.length < 2) await next()
    t.equal(parts[1]?.includes('\u001b[31m'), colors)
    terminal.listener?.stopped()
    await end()
  }
})

t.test('without a terminal: one look after another, and lines of JSON', async (t) => {
  const silent = simulatedTerminal({ shows: false })
  const { terminal, parts, next, end } = await watched(silent)
  while (parts.filter((part) => part.startsWith('quota top')).length < 2) await next()
  t.notOk(parts.join('').includes('\u001b'))
  terminal.listener?.stopped()
  await end()

  const json = await watched(simulatedTerminal({ shows: true }), ['--json'])
  while (json.parts.length < 2) await json.next()
  for (const part of json.parts) t.match(JSON.parse(part), { buckets: [{ limit: 'tokens' }, {}, {}] })
  t.ok(json.parts.every((part) => part.split('\n').length === 2))
  json.terminal.listener?.stopped()
  await json.end()
})

t.test('--once, a tenant, and a first look that fails', async (t) => {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  ops.answers.set('GET /admin/v1/usage', { status: 200, body })
  const once = await runOps(ops, ['quota', 'top', '--once', '--tenant', 'acme'], {
    terminal: simulatedTerminal(),
  })
  t.match(once, { code: 0, out: /^quota top by share {2}tenant acme / })
  t.match(ops.asked.at(-1)?.path, 'tenant=acme')
  t.match(JSON.parse((await runOps(ops, ['quota', 'top', '--once', '--json'])).out), {
    store: { kind: 'redis' },
  })
  ops.answers.set('GET /admin/v1/usage', refusal(403, 'insufficient_scope'))
  const refused = await runOps(ops, ['quota', 'top'], { terminal: simulatedTerminal() })
  t.match(refused, { code: 1, out: '', err: /An operator needs role ops/ })
  for (const interval of ['0', '0.4', '3601', 'x'])
    t.match(await runOps(ops, ['quota', 'top', '--interval', interval]), { code: 2, err: /An interval is/ })
})

t.test('colors do not change the width', (t) => {
  const usage = usageOf(body)
  for (const columns of [10, 40, 80, 200]) {
    const plainLines = screenLines({ usage, atMs: nowMs }, shown, { columns, rows: 40, paint: noPaint })
    const colored = screenLines({ usage, atMs: nowMs }, shown, { columns, rows: 40, paint })
    t.same(
      colored.map((line) => stripVTControlCharacters(line).trimEnd()),
      plainLines.map((line) => line.trimEnd()),
    )
  }
  t.end()
})
