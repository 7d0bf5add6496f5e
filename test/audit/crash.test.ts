import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import t from 'tap'

import type { AuditNotice } from '../../src/audit/log.ts'
import { openAuditLog } from '../../src/audit/open.ts'
import { verifyLog } from '../../src/audit/verify.ts'
import { fakeClock, inDirectory, sampleEvent } from './sample.ts'

const child = join(import.meta.dirname, 'crash-child.ts')

/**
 * Runs a writer until it has acknowledged `count` records, kills it at once, and gives all that it
 * acknowledged.
 */
async function killedAfter(directory: string, count: number): Promise<string[]> {
  const writer = spawn(process.execPath, [child, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of writer.stdout) {
    text += String(chunk)
    if (text.split('\n').length > count) writer.kill('SIGKILL')
  }
  return text.split('\n').slice(0, -1)
}

async function headsIn(directory: string): Promise<Set<string>> {
  const heads = new Set<string>()
  for (const name of (await readdir(directory)).filter((file) => file.endsWith('.jsonl'))) {
    for (const line of (await readFile(join(directory, name), 'utf8')).split('\n').slice(0, -1)) {
      const { seq, hash } = JSON.parse(line) as { seq: number; hash: string }
      heads.add(`${seq}:${hash}`)
    }
  }
  return heads
}

t.test(
  'a writer killed with SIGKILL loses nothing that it acknowledged, and the next one goes on',
  async (t) => {
    await inDirectory(async (directory) => {
      const acknowledged: string[] = []
      for (const count of [1, 40, 7, 150, 90, 23]) {
        const before = acknowledged.length
        acknowledged.push(...(await killedAfter(directory, count)))
        t.ok(acknowledged.length >= before + count, 'the writer got as far as it should')
        const heads = await headsIn(directory)
        t.same(
          acknowledged.filter((head) => !heads.has(head)),
          [],
          'every acknowledged record is there',
        )
        t.match(await verifyLog(directory), { intact: true, error: null })
      }
      t.equal(new Set(acknowledged).size, acknowledged.length)

      const notices: AuditNotice[] = []
      const options = { directory, segmentBytesMax: 8192, clock: fakeClock }
      const log = await openAuditLog({ ...options, onNotice: (notice) => void notices.push(notice) })
      t.ok(notices.some(({ kind }) => kind === 'lock_taken_over'))
      const { seq, hash } = await log.append(sampleEvent(1))
      await log.close()
      t.match(await verifyLog(directory, { head: { seq, hash } }), {
        intact: true,
        anchored: true,
        records: seq,
      })
    })
  },
)
