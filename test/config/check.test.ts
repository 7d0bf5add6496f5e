import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type CheckReport, checkConfig, formatReport } from '../../src/config/check.ts'
import { simulatedKnowledge } from './simulated-knowledge.ts'

const example = join(import.meta.dirname, '../../config')
const knowledge = simulatedKnowledge({ CREDIT_CARD: 'payment', US_SSN: 'identity' })
const options = { ...knowledge, now: Date.now() }

t.test('the examples in config/ are valid, without warnings', async (t) => {
  const report = await checkConfig(example, { ...options, material: 'skip' })
  t.match(report, { ok: true, problems: [], warnings: [], hash: /^[0-9a-f]{16}$/ })
  t.match(formatReport(report), /^ok: policy [0-9a-f]{16}, 0 problems, 0 warnings\n$/)
})

t.test('the examples without their certificates do not start', async (t) => {
  const { ok, problems } = await checkConfig(example, options)
  t.equal(ok, false)
  t.match(problems, [
    { file: 'gateway.yaml', path: 'traffic.tls.certificate', message: 'names a file that is missing' },
  ])
})

t.test('lines that are commented out in the examples are valid too', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'check-'))
  t.teardown(() => rm(directory, { recursive: true }))
  await cp(example, directory, { recursive: true })
  const gateway = await readFile(join(example, 'gateway.yaml'), 'utf8')
  const open = gateway.replaceAll(/^( *)# (?=[ -]*[\w.-]+:(?: (?!\$)|$))/gm, '$1')
  t.match(open, /trustDomains/)
  t.notMatch(open, /# *(?:-|trustDomains|revocations|runtime|ca|url):/)
  // Two alternatives of one union cannot both stand.
  const kept = open.split('\n').filter((line) => !/^ +file: keys\/company/.test(line))
  await writeFile(join(directory, 'gateway.yaml'), kept.join('\n'))
  const report = await checkConfig(directory, { ...options, material: 'skip' })
  t.same(report.problems, [])
})

t.test('the report for people', async (t) => {
  const report: CheckReport = {
    ok: false,
    directory: 'config',
    problems: [
      { file: 'a.yaml', line: 3, column: 5, path: 'roles.app', message: 'is wrong' },
      { file: 'b.yaml', line: 0, column: 0, path: '', message: 'is missing' },
    ],
    warnings: [{ file: 'c.yaml', line: 1, column: 1, path: 'x', message: 'is odd' }],
  }
  t.equal(
    formatReport(report),
    'config/a.yaml:3:5 roles.app is wrong\nconfig/b.yaml is missing\nconfig/c.yaml:1:1 x is odd (warning)\nnot ok: 2 problems, 1 warning\n',
  )
})

t.test('a folder that is not there', async (t) => {
  const report = await checkConfig(join(example, 'nowhere'), options)
  t.equal(report.problems.length, 4)
  t.match(formatReport(report), /not ok: 4 problems, 0 warnings\n$/)
})
