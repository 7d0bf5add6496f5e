import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runProgram } from './run-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'))
t.teardown(() => rmSync(folder, { recursive: true }))
// The configuration that is shipped names certificates that no clone has.
cpSync(join(import.meta.dirname, '../../config'), folder, { recursive: true })

t.test('a configuration that is refused: every problem with its place, and 3', async (t) => {
  const { code, out, err } = await runProgram(['config', 'check', '-c', folder])
  t.same({ code, err }, { code: 3, err: '' })
  t.match(out, `${folder}/gateway.yaml:`)
  t.match(out, `${folder}/models.yaml:`)
  t.match(out, /not ok: \d+ problems/)
})

t.test('--json says the same to programs', async (t) => {
  const { code, out } = await runProgram(['config', 'check', '--config', folder, '--json'])
  const report = JSON.parse(out)
  t.equal(code, 3)
  t.equal(report.ok, false)
  t.ok(report.problems.every(({ file, line }: { file: string; line: number }) => file !== '' && line > 0))
})

t.test('--skip-files: the shipped configuration is sound but for its files', async (t) => {
  const { code, out } = await runProgram(['config', 'check', '-c', folder, '--skip-files'])
  t.equal(code, 0, out)
  t.match(out, /^ok: policy [0-9a-f]+/m)
})

t.test('a folder that is not there: its four files are missing', async (t) => {
  const { code, out } = await runProgram(['config', 'check', '-c', join(folder, 'nowhere')])
  t.equal(code, 3)
  t.equal(out.match(/is not a file that can be read: missing/g)?.length, 4)
})
