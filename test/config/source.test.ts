import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { folderSource } from '../../src/config/source.ts'

t.test('what stands at a path', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'source-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const source = folderSource(directory)
  const read = (path: string) => source.read(path, { bytesMax: 10 })
  await writeFile(join(directory, 'ten'), '0123456789')
  await writeFile(join(directory, 'eleven'), '0123456789a')
  await writeFile(join(directory, 'empty'), '')
  await mkdir(join(directory, 'folder'))
  await symlink('ten', join(directory, 'link'))
  await symlink('nowhere', join(directory, 'dangling'))
  await symlink('loop', join(directory, 'loop'))
  await chmod(join(directory, 'ten'), 0o640)
  execFileSync('mkfifo', [join(directory, 'pipe')])

  t.match(await read('ten'), { kind: 'file', mode: 0o640 })
  t.match(await read('link'), { kind: 'file', mode: 0o640 })
  t.match(await read('empty'), { kind: 'file', bytes: Buffer.alloc(0) })
  t.same(await read('eleven'), { kind: 'too large' })
  t.same(await read('folder'), { kind: 'folder', writable: true })
  t.same(await read('pipe'), { kind: 'no file' }, 'does not wait for a writer')
  t.same(await read('none'), { kind: 'missing' })
  t.same(await read('ten/below'), { kind: 'missing' })
  t.same(await read('dangling'), { kind: 'missing' })
  t.same(await read('loop'), { kind: 'unreadable' })
  t.same(await read('nul\0byte'), { kind: 'unreadable' })
  t.equal(source.resolve('a/../b'), join(directory, 'b'))
  t.equal(source.resolve('/etc/x'), '/etc/x')
})
