import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAuditLog } from '../../src/audit/open.ts'
import { systemClock } from '../../src/clock.ts'
import { runProgram } from './run-program.ts'

async function logOf(t: Test, records: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const log = await openAuditLog({ directory, segmentBytesMax: 2 ** 20, clock: systemClock })
  for (let index = 0; index < records; index += 1) {
    await log.append({ event: 'gateway.stopped', time: new Date(1e12 + index).toISOString() })
  }
  await log.close()
  return directory
}

t.test('an intact log: 0, and its head to note elsewhere', async (t) => {
  const directory = await logOf(t, 3)
  const { code, out } = await runProgram(['audit', 'verify', directory])
  t.equal(code, 0)
  t.match(out, /intact/)
  const head = /head +(3:[0-9a-f]{64})/.exec(out)?.[1] as string
  const anchored = await runProgram(['audit', 'verify', directory, '--head', head, '--json'])
  t.equal(anchored.code, 0)
  t.match(JSON.parse(anchored.out), { intact: true, anchored: true, records: 3 })
})

t.test('one that was cut short is found by its head alone: 4', async (t) => {
  const directory = await logOf(t, 3)
  const { head } = JSON.parse((await runProgram(['audit', 'verify', directory, '--json'])).out)
  const file = join(directory, 'audit-000000000001.jsonl')
  const lines = readFileSync(file, 'utf8').split('\n')
  writeFileSync(file, `${lines.slice(0, 2).join('\n')}\n`)
  t.equal((await runProgram(['audit', 'verify', directory])).code, 0)
  const { code, out } = await runProgram(['audit', 'verify', directory, '--head', `${head.seq}:${head.hash}`])
  t.equal(code, 4)
  t.match(out, /NOT INTACT/)
})

t.test('a record that was edited: 4, and which one', async (t) => {
  const directory = await logOf(t, 3)
  const file = join(directory, 'audit-000000000001.jsonl')
  const lines = readFileSync(file, 'utf8').split('\n')
  lines[1] = (lines[1] as string).replace('gateway.stopped', 'gateway.stoppec')
  writeFileSync(file, lines.join('\n'))
  const { code, out } = await runProgram(['audit', 'verify', directory, '--json'])
  t.equal(code, 4)
  t.match(JSON.parse(out), { intact: false, error: { seq: 2 } })
})

t.test('a folder that is not there, and a file in its place: one line and 1', async (t) => {
  const directory = await logOf(t, 1)
  const nowhere = await runProgram(['audit', 'verify', join(directory, 'nowhere')])
  t.match(nowhere, { code: 1, out: '', err: /^There is no folder .+nowhere\.\n$/ })
  const file = await runProgram(['audit', 'verify', join(directory, 'audit-000000000001.jsonl')])
  t.match(file, { code: 1, out: '', err: /^The log in .+ cannot be read: ENOTDIR\n$/ })
})

t.test('chains of workers: each is verified, and one that is gone is missed', async (t) => {
  const directory = await logOf(t, 2)
  for (const worker of [1, 2, 3])
    cpSync(await logOf(t, worker), join(directory, `worker-${worker}`), { recursive: true })
  const whole = await runProgram(['audit', 'verify', directory, '--json'])
  t.equal(whole.code, 0)
  const report = JSON.parse(whole.out)
  t.same(report.missing, [])
  t.same(
    report.chains.map(({ records }: { records: number }) => records),
    [2, 1, 2, 3],
    'the chain of before there were workers as well',
  )
  t.match((await runProgram(['audit', 'verify', directory])).out, /every chain is intact \(4 chains\)/)
  const head = `1:${'0'.repeat(64)}`
  const unclear = await runProgram(['audit', 'verify', directory, '--head', head])
  t.match(unclear, { code: 2, err: /--head belongs to one chain. Name its folder: .+worker-3/ })
  const one = await runProgram(['audit', 'verify', join(directory, 'worker-3'), '--head', head])
  t.equal(one.code, 4, 'of one chain it is asked')
  rmSync(join(directory, 'worker-2'), { recursive: true })
  const gone = await runProgram(['audit', 'verify', directory])
  t.equal(gone.code, 4)
  t.match(gone.out, /worker-2: MISSING/)
  const segment = join(directory, 'worker-3', 'audit-000000000001.jsonl')
  writeFileSync(segment, readFileSync(segment, 'utf8').replace('gateway.stopped', 'gateway.stoppec'))
  t.match(JSON.parse((await runProgram(['audit', 'verify', directory, '--json'])).out), {
    intact: false,
    chains: [{ intact: true }, { intact: true }, { intact: false }],
  })
})
