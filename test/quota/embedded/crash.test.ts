// Real processes, killed in the middle of their work or out of disk: a budget is never below what was charged.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../../src/clock.ts'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import { limitOf } from '../simulated-limit.ts'
import { usedOf } from '../store-subject.ts'

const child = join(import.meta.dirname, 'crash-child.ts')
const limits = [1, 2].map((n) =>
  limitOf({ name: `monthly-${n}`, counts: 'total_tokens', per: 'month', amount: 1_000_000 }),
)
/** A hundredth of the amount twice (marks.ts), and the exchanges of five writers that nobody has heard of yet. */
const aheadMax = 20_000 + 5 * 46

function folder(t: { teardown(end: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-quota-crash-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs a gateway until it has said so many lines, then kills it; all that it said. */
async function killedAfter(directory: string, lines: number): Promise<readonly string[]> {
  const gateway = spawn(process.execPath, [child, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of gateway.stdout) {
    text += String(chunk)
    if (text.split('\n').length > lines) gateway.kill('SIGKILL')
  }
  return text.split('\n').slice(0, -1)
}

const sum = (lines: readonly string[]): number =>
  lines.filter((line) => /^\d+$/.test(line)).reduce((total, line) => total + Number(line), 0)

async function foundIn(directory: string): Promise<readonly number[]> {
  const store = await openEmbeddedStore({ directory, clock: systemClock })
  try {
    return await Promise.all(limits.map((limit) => usedOf(store, limit)))
  } finally {
    await store.close()
  }
}

t.test(
  'killed again and again: nothing that was charged is forgotten, little is charged that was not',
  async (t) => {
    const directory = folder(t)
    let charged = 0
    for (const [run, lines] of [1, 300, 40, 700].entries()) {
      const said = await killedAfter(directory, lines)
      t.ok(said.length >= lines, 'the gateway got as far as it should')
      charged += sum(said)
      for (const found of await foundIn(directory))
        t.ok(found >= charged && found <= charged + (run + 1) * aheadMax, `${found} for ${charged}`)
    }
    const store = await openEmbeddedStore({ directory, clock: systemClock })
    for (const [name, { version, text }] of await store.documents.list('quota/'))
      t.equal(`${version} ${text}`, `1 text of ${name.slice('quota/'.length)}`)
    await store.close()
  },
)

/** Runs a gateway whose files may not grow beyond sixteen blocks, which is what a full disk is to it. */
async function onFullDisk(directory: string, onStoreFailure: string, lines: number): Promise<string[]> {
  const command = 'ulimit -f 16; exec "$0" "$@"'
  const options = { stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] }
  const gateway = spawn('/bin/sh', ['-c', command, process.execPath, child, directory, onStoreFailure], {
    ...options,
    env: { ...process.env, NODE_COMPILE_CACHE: '' },
  })
  let text = ''
  for await (const chunk of gateway.stdout) {
    text += String(chunk)
    if (text.split('\n').length > lines) gateway.kill('SIGKILL')
  }
  return text.split('\n').slice(0, -1)
}

t.test('a full disk: `lease` refuses before a budget is above its mark, and health says so', async (t) => {
  const directory = folder(t)
  const said = await onFullDisk(directory, 'lease', 1e6)
  t.same(said.slice(-1), ['refused by closed, healthy false'])
  t.ok(sum(said) > 10_000, 'while there was room, it served')
  for (const found of await foundIn(directory)) t.ok(found >= sum(said), `${found} for ${sum(said)}`)
  t.notMatch(readFileSync(join(directory, 'quota.journal'), 'utf8'), 'undefined')
})

t.test('a full disk: `open` goes on', async (t) => {
  const directory = folder(t)
  const said = await onFullDisk(directory, 'open', 20_000)
  const first = said.indexOf('unhealthy')
  t.ok(first > 0 && sum(said.slice(first)) > 0, 'it served before and after')
  t.notOk(said.some((line) => line.startsWith('refused')))
})
