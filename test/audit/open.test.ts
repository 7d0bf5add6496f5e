import { appendFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import t from 'tap'

import type { AuditNotice } from '../../src/audit/log.ts'
import { openAuditLog } from '../../src/audit/open.ts'
import { segmentName } from '../../src/audit/segment.ts'
import { verifyLog } from '../../src/audit/verify.ts'
import { fakeClock, inDirectory, sampleEvent, sampleLog, writeSegments } from './sample.ts'

const open = (directory: string, notices: AuditNotice[] = []) =>
  openAuditLog({
    directory,
    segmentBytesMax: 1024,
    clock: fakeClock,
    onNotice: (notice) => void notices.push(notice),
  })

t.test(
  'a log on real files: folder and segments for their owner only, intact, continued after a restart',
  async (t) => {
    await inDirectory(async (parent) => {
      const directory = join(parent, 'deep', 'audit')
      const log = await open(directory)
      await Promise.all(Array.from({ length: 20 }, (_, index) => log.append(sampleEvent(index + 1))))
      await log.close()
      const again = await open(directory)
      await again.append(sampleEvent(21))
      const { head } = again
      await again.close()
      t.equal((await stat(directory)).mode & 0o777, 0o700)
      const names = await readdir(directory)
      t.ok(names.length > 2, 'several segments')
      for (const name of names) t.equal((await stat(join(directory, name))).mode & 0o777, 0o600)
      t.match(await verifyLog(directory, { head }), {
        intact: true,
        records: 21,
        anchored: true,
        warningCount: 0,
      })
    })
  },
)

t.test('a torn frame on a real file is cut', async (t) => {
  await inDirectory(async (directory) => {
    await writeSegments(directory, sampleLog(3), 3)
    await appendFile(join(directory, segmentName(1)), '{"event":"ex')
    const notices: AuditNotice[] = []
    const log = await open(directory, notices)
    t.match(notices, [{ kind: 'torn_frame_cut', seq: 3 }])
    await log.close()
    t.match(await verifyLog(directory), { intact: true, records: 4, warningCount: 0 })
  })
})

t.test('a broken log gives the directory free again', async (t) => {
  await inDirectory(async (directory) => {
    await writeFile(join(directory, segmentName(1)), 'garbage\n')
    await t.rejects(open(directory), { name: 'AuditChainError' })
    t.same(await readdir(directory), [segmentName(1)])
  })
})

t.test('a segment that is a symbolic link is not written through', async (t) => {
  await inDirectory(async (parent) => {
    const directory = join(parent, 'audit')
    await mkdir(directory)
    await writeSegments(parent, sampleLog(1), 1)
    await symlink(join(parent, segmentName(1)), join(directory, segmentName(1)))
    await t.rejects(open(directory), { code: 'ELOOP' })
    t.equal(await readFile(join(parent, segmentName(1)), 'utf8'), sampleLog(1)[0]?.line)
  })
})

t.test('one writer for one directory', async (t) => {
  await inDirectory(async (directory) => {
    const log = await open(directory)
    await t.rejects(open(directory), {
      name: 'DirectoryLockError',
      message: `process ${process.pid} on this host writes here`,
    })
    await log.append(sampleEvent(1))
    await log.close()
    const again = await open(directory)
    t.equal(again.head.seq, 1)
    await again.close()
    await log.close()
    t.same(await readdir(directory), [segmentName(1)], 'no lock is left behind')
  })
})

t.test('of many that start at once, one gets the directory', async (t) => {
  await inDirectory(async (directory) => {
    for (const stale of [false, true]) {
      const owner = { host: hostname(), pid: process.pid, started: 'another life', boot: '', token: 'x' }
      if (stale) await writeFile(join(directory, 'audit.lock'), JSON.stringify(owner))
      const starts = await Promise.allSettled(Array.from({ length: 8 }, () => open(directory)))
      const won = starts.filter((start) => start.status === 'fulfilled')
      t.equal(won.length, 1, stale ? 'a stale lock' : 'no lock')
      for (const { value } of won) await value.close()
    }
    t.same(await readdir(directory), [])
  })
})

t.test('which owners are provably gone', async (t) => {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const here = { host: hostname(), boot, started: '1', token: 'x' }
  const owners: readonly (readonly [name: string, text: string, why: RegExp | undefined])[] = [
    ['a free pid', JSON.stringify({ ...here, pid: 0x3fffffff }), undefined],
    ['our pid, from another life of the container', JSON.stringify({ ...here, pid: process.pid }), undefined],
    ['before the host booted', JSON.stringify({ ...here, pid: 1, boot: 'another' }), undefined],
    [
      'another host',
      JSON.stringify({ ...here, pid: 1, host: 'elsewhere' }),
      /process 1 on host elsewhere holds it/,
    ],
    ['not JSON', 'x', /cannot be read/],
    ['empty', '', /cannot be read/],
    ['null', 'null', /cannot be read/],
    ['a pid that signals a group', JSON.stringify({ ...here, pid: -1 }), /cannot be read/],
  ]
  for (const [name, text, why] of owners) {
    await inDirectory(async (directory) => {
      await writeFile(join(directory, 'audit.lock'), text)
      const notices: AuditNotice[] = []
      if (why !== undefined) {
        await t.rejects(open(directory, notices), { name: 'DirectoryLockError', message: why }, name)
        t.equal(await readFile(join(directory, 'audit.lock'), 'utf8'), text, 'it is left alone')
        return
      }
      const log = await open(directory, notices)
      t.match(notices, [{ kind: 'lock_taken_over' }], name)
      await log.close()
    })
  }
})

t.test('a path that is not a directory is said at the start', async (t) => {
  await inDirectory(async (parent) => {
    await writeFile(join(parent, 'file'), '')
    await t.rejects(open(join(parent, 'file')), { code: 'EEXIST' })
  })
})
