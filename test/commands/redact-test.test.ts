import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { highlighted } from '../../src/commands/redact-test.ts'
import { placeholders } from '../../src/redaction/mask.ts'
import { root } from '../support/markdown.ts'
import { runProgram } from './run-program.ts'

const card = '4111 1111 1111 1111'
const text = `My card is ${card}.\nWrite to jane@example.com, please.\n`
const masked = 'My card is [CREDIT_CARD].\nWrite to [EMAIL_ADDRESS], please.\n'

function fileOf(t: Test, content: string | Buffer, name = 'text'): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redact-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

t.test('the text as it would go on, then what was found and where', async (t) => {
  const { code, out } = await runProgram(['redact', 'test', fileOf(t, text)])
  t.equal(code, 0)
  t.ok(out.startsWith(`${masked}\n2 found\n`), out)
  t.match(out, /^ {2}1:12 +CREDIT_CARD +\S+ +mask +19 units$/m)
  t.match(out, /^ {2}2:10 +EMAIL_ADDRESS +\S+ +mask +16 units$/m)
  t.notMatch(out, /4111|jane/, 'nothing repeats a value')
})

t.test('as JSON', async (t) => {
  const { code, out } = await runProgram(['redact', 'test', fileOf(t, text), '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(out), {
    rules: 'standard',
    direction: 'prompt',
    blocked: false,
    text: masked,
    findings: [
      { entity: 'CREDIT_CARD', action: 'mask', start: 11, end: 30, recognizer: String },
      { entity: 'EMAIL_ADDRESS', action: 'mask', start: 41, end: 57 },
    ],
    tallies: [
      { entity: 'CREDIT_CARD', action: 'mask', count: 1 },
      { entity: 'EMAIL_ADDRESS', action: 'mask', count: 1 },
    ],
    heldTextMax: Number,
  })
})

t.test('a preset leaves alone what it is not about', async (t) => {
  const { out } = await runProgram(['redact', 'test', fileOf(t, text), '--preset', 'pci', '--json'])
  t.equal(JSON.parse(out).text, text.replace(card, '[CREDIT_CARD]'))
})

t.test('a stream: what left at each event adds up to the text that goes on', async (t) => {
  const file = fileOf(t, text)
  for (const size of [1, 4, 7]) {
    const { code, out } = await runProgram([
      ...['redact', 'test', file, '--stream', '--event-size', String(size), '--direction', 'reply', '--json'],
    ])
    t.equal(code, 0)
    const { events } = JSON.parse(out) as {
      events: { came: string; left: string; held: string; heldUnits: number }[]
    }
    t.equal(events.length, Math.ceil(text.length / size) + 1, 'the last one is the end')
    t.equal(events.map(({ came }) => came).join(''), text)
    t.equal(events.map(({ left }) => left).join(''), masked)
    t.same(events.at(-1), { ...events.at(-1), came: '', held: '', heldUnits: 0 })
    const wrong = events.filter(({ held, heldUnits }) => held.length > heldUnits)
    t.same(wrong, [])
  }
})

t.test('a stream for people: one line an event', async (t) => {
  const { out } = await runProgram(['redact', 'test', fileOf(t, `on ${card}.`), '--stream'])
  const lines = out.split('\n')
  t.match(lines[0], /^ event {2}came +left +held$/)
  t.match(lines[1], /^ {5}1 {2}"on 4" .*\d "(on )?4"$/)
  t.match(lines[7], /^ {3}end .*"\[CREDIT_CARD\]\."$/)
  t.match(out, /\n1 found\n/)
})

t.test('a profile of a configuration, in one of its directions', async (t) => {
  const profile = ['--profile', 'strict', '-c', join(root, 'config')]
  const blocked = await runProgram(['redact', 'test', fileOf(t, text), ...profile])
  t.equal(blocked.code, 0)
  t.match(blocked.out, /^blocked by CREDIT_CARD: nothing of the text goes on\n/)
  const { out } = await runProgram(['redact', 'test', fileOf(t, text), ...profile, '--json'])
  t.match(JSON.parse(out), { blocked: true, text: '' })
  const unknown = await runProgram([
    'redact',
    'test',
    fileOf(t, text),
    '--profile',
    'nobody',
    '-c',
    join(root, 'config'),
  ])
  t.match(unknown, {
    code: 2,
    out: '',
    err: /^There is no profile nobody in .+redaction\.yaml; there are .*strict/,
  })
  const folder = await runProgram(['redact', 'test', fileOf(t, text), '--profile', 'strict', '-c', root])
  t.match(folder, { code: 3, out: '' })
})

t.test('text comes from standard input, and from a file that gzip made', async (t) => {
  const args = ['src/main.ts', 'redact', 'test', '-']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, input: text, encoding: 'utf8' })
  t.equal(status, 0)
  t.ok(stdout.startsWith(masked), stdout)
  const { out } = await runProgram(['redact', 'test', fileOf(t, gzipSync(text))])
  t.ok(out.startsWith(masked))
})

t.test('what cannot be read is one line and 1', async (t) => {
  const missing = await runProgram(['redact', 'test', '/nowhere/text'])
  t.match(missing, { code: 1, out: '', err: /^There is no file \/nowhere\/text\.\n$/ })
  const folder = await runProgram(['redact', 'test', root])
  t.match(folder, { code: 1, out: '', err: /^.+ cannot be read: EISDIR\n$/ })
  const broken = gzipSync(text).subarray(0, 30)
  const packed = await runProgram(['redact', 'test', fileOf(t, broken)])
  t.match(packed, { code: 1, out: '', err: /^.+ cannot be unpacked: .+\n$/ })
  t.match(await runProgram(['redact', 'test', 'x', '--event-size', '0']), { code: 2 })
  t.match(await runProgram(['redact', 'test', 'x', '--preset', 'everything']), { code: 2 })
})

t.test('on a terminal values are crossed out beside what stands in their place', (t) => {
  const color = (format: unknown, shown: string): string => `{${[format].flat().join('+')}:${shown}}`
  const finding = { entity: 'X', recognizer: 'x', start: 2, end: 4 }
  const shown = (action: 'mask' | 'shadow') =>
    highlighted('a bc d', [{ ...finding, action }], placeholders, color)
  t.equal(shown('mask'), 'a {red+strikethrough:bc}{green:[X]} d')
  t.equal(shown('shadow'), 'a {yellow:bc} d')
  t.end()
})
