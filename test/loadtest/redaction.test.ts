import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LineWorker, TooSlow } from '../../loadtest/bench/redaction/line-worker.ts'
import { compared, measures, named, type Scores } from '../../loadtest/bench/redaction/measures.ts'
import { writeInto } from '../../loadtest/bench/redaction/report.ts'
import { chatMessages, hostileTexts } from '../../loadtest/bench/redaction/texts.ts'
import { families } from '../corpora/corpus.ts'
import { root } from '../support/markdown.ts'

function workerOf(t: Test, script: string): LineWorker {
  const worker = new LineWorker({ command: process.execPath, args: ['-e', script], cwd: root })
  t.teardown(() => worker.stop())
  return worker
}

const answering = (answer: string): string =>
  `process.stdin.on('data', (line) => { const request = JSON.parse(line); ${answer} })`

t.test('a worker answers one line a request', async (t) => {
  const worker = workerOf(
    t,
    answering('console.log(JSON.stringify({ pid: process.pid, got: request.text.length }))'),
  )
  const first = await worker.ask<{ pid: number; got: number }>({ text: 'a\nb' }, 10_000)
  const second = await worker.ask<{ pid: number; got: number }>({ text: '\u2028' }, 10_000)
  t.equal(first.got, 3)
  t.same(second, { pid: first.pid, got: 1 }, 'the same process')
})

t.test('one that hangs is ended, and begins anew with the next request', async (t) => {
  const worker = workerOf(
    t,
    answering('if (request.hang) for (;;); console.log(JSON.stringify({ pid: process.pid }))'),
  )
  const { pid } = await worker.ask<{ pid: number }>({}, 10_000)
  const late = await worker.ask({ hang: true }, 50).catch((error: unknown) => error)
  t.ok(late instanceof TooSlow)
  const { pid: next } = await worker.ask<{ pid: number }>({}, 10_000)
  t.not(next, pid)
})

t.test('one that fails says why', async (t) => {
  const worker = workerOf(t, answering("throw new Error('no such model')"))
  await t.rejects(worker.ask({}, 10_000), /^ended with 1: /)
  const refusing = workerOf(t, answering("console.log(JSON.stringify({ error: 'too long' }))"))
  await t.rejects(refusing.ask({}, 10_000), /^too long$/)
  const missing = new LineWorker({ command: '/nowhere/python', args: [], cwd: root })
  await t.rejects(missing.ask({}, 10_000), /ENOENT/)
})

t.test('every family of labeled texts is measured', (t) => {
  t.same([...compared, ...named].sort(), [...families].sort())
  t.end()
})

t.test('the measures are computed from what `redact score` prints', (t) => {
  const label = (
    name: string,
    values: number,
    truePositives: number,
    falsePositives: number,
    masked: number,
  ) => ({
    label: name,
    values,
    truePositives,
    falsePositives,
    falseNegatives: values - truePositives,
    masked,
  })
  const touched = (count: number, of: number) => ({ of, count })
  const scores: Scores = new Map([
    [
      'synthetic-fresh',
      {
        corpus: 'synthetic-fresh',
        labels: [label('CREDIT_CARD', 8, 6, 0, 8), label('SECRET', 4, 1, 0, 3)],
        touched: touched(0, 0),
        touchedByScope: {},
        evasion: {},
      },
    ],
    [
      'presidio-recognizer-tests',
      {
        corpus: 'presidio-recognizer-tests',
        labels: [label('CREDIT_CARD', 2, 2, 2, 1), label('URL', 5, 0, 9, 0)],
        touched: touched(0, 0),
        touchedByScope: {},
        evasion: {},
      },
    ],
    [
      'gsm8k-test',
      { corpus: 'gsm8k-test', labels: [], touched: touched(1, 60), touchedByScope: {}, evasion: {} },
    ],
    [
      'humaneval',
      { corpus: 'humaneval', labels: [], touched: touched(1, 40), touchedByScope: {}, evasion: {} },
    ],
    [
      'synthetic-nearmiss',
      {
        corpus: 'synthetic-nearmiss',
        labels: [],
        touched: touched(4, 10),
        touchedByScope: { CREDIT_CARD: touched(1, 5), 'SECRET:github-pat': touched(3, 5) },
        evasion: {},
      },
    ],
    [
      'synthetic-evasion',
      {
        corpus: 'synthetic-evasion',
        labels: [],
        touched: touched(0, 0),
        touchedByScope: {},
        evasion: { hex: touched(3, 4), leet: touched(0, 4) },
      },
    ],
  ])
  const figures = Object.fromEntries(measures.map(({ name, of }) => [name, of(scores)]))
  t.match(figures, {
    'CREDIT_CARD: masked': 0.9,
    'structured types: masked': 0.9,
    'structured types: recall by label': 0.8,
    'structured types: precision by label': 0.8,
    'prefix secrets: masked': 0.75,
    'GSM8K and HumanEval touched': 0.02,
    'near-misses touched': 0.4,
    'near-misses touched, GitHub and npm tokens with a wrong CRC aside': 0.2,
    'disguised values of the classes claimed: masked': 0.75,
    'disguised values, all classes: masked': 0.375,
    'generic secrets: F1': Number.NaN,
  })
  t.end()
})

t.test('texts to measure with have the size that was asked for', (t) => {
  const messages = chatMessages(10_000)
  const units = messages.reduce((sum, text) => sum + text.length, 0)
  t.ok(units >= 10_000 && units < 20_000, `${units} units`)
  t.same(messages, chatMessages(10_000), 'the same each time')
  t.same(
    Object.entries(hostileTexts(4_096)).filter(([, text]) => text.length !== 4_096),
    [],
  )
  t.end()
})

t.test('results are written between the marks of a page, again and again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const page = join(folder, 'page.md')
  writeFileSync(page, 'before\n<!-- results: begin -->\n<!-- results: end -->\nafter\n')
  writeInto(page, 'one')
  writeInto(page, 'two')
  t.equal(readFileSync(page, 'utf8'), 'before\n<!-- results: begin -->\ntwo\n<!-- results: end -->\nafter\n')
  writeFileSync(page, 'no marks')
  t.throws(() => writeInto(page, 'three'), /has no marks/)
  t.end()
})

t.test('the worker of Sallyport answers every request of the benchmark', async (t) => {
  const worker = new LineWorker({
    command: process.execPath,
    args: ['scripts/redaction-worker.ts'],
    cwd: root,
  })
  t.teardown(() => worker.stop())
  const texts = ['My card is 4111 1111 1111 1111.', 'no\u2028thing']
  const ask = (op: string): Promise<object> => worker.ask({ op, texts }, 60_000)
  t.same(await ask('mask'), { rows: [{ masked: 'My card is [CREDIT_CARD].' }, { masked: 'no\u2028thing' }] })
  t.match(await ask('time'), { ms: Number })
  const quantiles = { p50: Number, p99: Number, max: Number }
  t.match(await ask('events'), { ms: Number, pushUs: quantiles, held: quantiles })
  t.match(await ask('turns'), { longestMs: Number, ms: Number })
  // Two texts in pieces of one, of four and of random sizes, and cut once at every place.
  t.same(await ask('splits'), { checked: 6 + 30 + 7, different: 0 })
})
