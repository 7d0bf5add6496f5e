import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { corpusPath } from '../corpora/corpus.ts'
import { runProgram } from './run-program.ts'

const spanOf = (text: string, value: string, label: string) => {
  const start = text.indexOf(value)
  return { start, end: start + value.length, label, value }
}

const secret = `glpat-${'x7Kq2mWv9R'}${'tZ4bNc8PdL'}`
const row = (id: string, text: string, spans: readonly object[], more: object = {}): object => ({
  id,
  text,
  spans,
  source: 'tests',
  ...more,
})

const texts = {
  card: 'My card is 4111 1111 1111 1111.',
  mail: 'Write to jane@example.com, or to nobody.',
  clean: 'There is nothing here.',
}
const corpus = [
  row('card', texts.card, [spanOf(texts.card, '4111 1111 1111 1111', 'CREDIT_CARD')], {
    note: 'evasion:spaced',
  }),
  row('mail', texts.mail, [spanOf(texts.mail, 'nobody', 'EMAIL_ADDRESS')]),
  row('clean', texts.clean, []),
]

function filesOf(t: Test, files: Readonly<Record<string, string>>): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-score-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return Object.fromEntries(Object.keys(files).map((name) => [name, join(folder, name)]))
}

const lines = (rows: readonly object[]): string => rows.map((each) => JSON.stringify(each)).join('\n')

t.test('the scores of labeled texts, as JSON', async (t) => {
  const { 'mine.jsonl': file } = filesOf(t, { 'mine.jsonl': lines(corpus) })
  const { code, out } = await runProgram(['redact', 'score', file as string, '--mistakes', '5', '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(out), {
    labels: [
      { label: 'CREDIT_CARD', values: 1, precision: 1, recall: 1, f1: 1, maskedShare: 1 },
      { label: 'EMAIL_ADDRESS', values: 1, precision: 0, recall: 0, f1: 0, maskedShare: 0 },
    ],
    total: { label: 'ALL', values: 2, recall: 0.5 },
    corpora: [
      {
        corpus: 'mine',
        texts: 3,
        touched: { of: 1, count: 0, share: 0 },
        evasion: { spaced: { of: 1, count: 1, share: 1 } },
      },
    ],
    mistakes: [
      { kind: 'missed', id: 'mail', label: 'EMAIL_ADDRESS', value: 'nobody' },
      { kind: 'wrong', id: 'mail', label: 'EMAIL_ADDRESS', value: 'jane@example.com' },
    ],
  })
})

t.test('for people: a table by label, one by corpus, one by disguise, and the mistakes', async (t) => {
  const { 'mine.jsonl': file } = filesOf(t, { 'mine.jsonl': lines(corpus) })
  const { code, out } = await runProgram(['redact', 'score', file as string, '--mistakes', '1'])
  t.equal(code, 0)
  t.match(out, /^CREDIT_CARD +1 +1 +0 +0 +1\.000 +1\.000 +1\.000 +1\.000$/m)
  t.match(out, /^ALL +2 +1 +1 +1 +0\.500 +0\.500 +0\.500 +0\.500$/m)
  t.match(out, /^mine +3 +2 +0\.500 +1 +0 +0\.00 %$/m)
  t.match(out, /^spaced +1 +1 +100\.00 %$/m)
  t.match(out, /^missed {2}mail {2}EMAIL_ADDRESS {2}"nobody"$/m)
  t.notMatch(out, /"jane/, 'one mistake was asked for')
})

t.test('labels can be chosen', async (t) => {
  const { 'mine.jsonl': file } = filesOf(t, { 'mine.jsonl': lines(corpus) })
  const { out } = await runProgram(['redact', 'score', file as string, '--label', 'CREDIT_CARD', '--json'])
  t.match(JSON.parse(out), { labels: [{ label: 'CREDIT_CARD' }], total: { values: 1 } })
  t.equal(JSON.parse(out).labels.length, 1)
})

t.test('what another tool found is scored alike', async (t) => {
  const findings = [
    { id: 'card', findings: [spanOf(texts.card, '4111 1111', 'CREDIT_CARD')] },
    { id: 'mail', masked: texts.mail.replace('nobody', '#') },
    { id: 'clean', masked: '' },
  ]
  const files = filesOf(t, { 'mine.jsonl': lines(corpus), 'theirs.jsonl': lines(findings) })
  const { 'mine.jsonl': mine, 'theirs.jsonl': theirs } = files as Record<string, string>
  const { out } = await runProgram([
    'redact',
    'score',
    mine as string,
    '--findings',
    theirs as string,
    '--json',
  ])
  t.match(JSON.parse(out), {
    labels: [
      { label: 'CREDIT_CARD', recall: 0, maskedShare: 1 },
      { label: 'EMAIL_ADDRESS', recall: 0, maskedShare: 1 },
    ],
    corpora: [{ touched: { of: 1, count: 1, share: 1 } }],
  })
})

t.test('all secrets count as one label', async (t) => {
  const text = `the token is ${secret}, keep it`
  const rows = [row('token', text, [spanOf(text, secret, 'SECRET:any-rule')], { scope: ['SECRET:any-rule'] })]
  const { 'mine.jsonl': file } = filesOf(t, { 'mine.jsonl': lines(rows) })
  const { out } = await runProgram(['redact', 'score', file as string, '--json'])
  t.match(JSON.parse(out).labels, [{ label: 'SECRET', values: 1, recall: 1, precision: 1 }])
})

t.test('a corpus of this repository, packed as it is', async (t) => {
  const file = corpusPath('dev', 'synthetic-benign')
  const { code, out } = await runProgram(['redact', 'score', file, '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(out), { corpora: [{ corpus: 'synthetic-benign', texts: 216, touched: { of: 216 } }] })
})

t.test('a file that is no corpus: which line, and 1', async (t) => {
  const { 'mine.jsonl': file } = filesOf(t, { 'mine.jsonl': `${lines(corpus)}\n{"id":1}` })
  const { code, err, out } = await runProgram(['redact', 'score', file as string])
  t.match({ code, out, err }, { code: 1, out: '', err: /mine\.jsonl: line 4: text is not a string\n$/ })
  t.match(await runProgram(['redact', 'score']), { code: 2 })
})

t.test('stats: what each family is compiled into, and all of them', async (t) => {
  const { code, out } = await runProgram(['redact', 'stats', '--json'])
  t.equal(code, 0)
  const { families, total } = JSON.parse(out)
  const row = { recognizers: Number, rules: Number, states: Number, bytes: Number, buildMs: Number }
  t.match(total, { family: 'all', ...row })
  for (const key of ['recognizers', 'rules', 'states', 'bytes']) {
    const sum = families.reduce((all: number, each: Record<string, number>) => all + (each[key] ?? 0), 0)
    t.equal(total[key], sum, key)
    t.ok(sum > 0, key)
  }
  const shown = await runProgram(['redact', 'stats'])
  t.match(shown.out, /^family +recognizers +rules +states +KiB +build ms\n/)
  t.match(shown.out, /^all +\d+ +\d+ +\d+ +\d+ +\d+\.\d$/m)
})
