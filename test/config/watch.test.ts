import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type WatchOptions, watchFiles } from '../../src/config/watch.ts'

/** No poll: only what the system tells. */
const eventsOnly: WatchOptions = { pollMs: 3_600_000, debounceMs: 5 }
/** Neither poll nor events in the time of a test: only `check()` looks. */
const never: WatchOptions = { pollMs: 3_600_000, debounceMs: 3_600_000 }

async function folder(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'watch-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

interface Watching {
  readonly calls: (readonly string[])[]
  /** Resolves with the next change. */
  next(): Promise<readonly string[]>
  check(): Promise<void>
}

function watching(t: Test, paths: readonly string[], options: WatchOptions): Watching {
  const calls: (readonly string[])[] = []
  const waiting: ((changed: readonly string[]) => void)[] = []
  const watch = watchFiles(
    paths,
    (changed) => {
      calls.push(changed)
      for (const resolve of waiting.splice(0)) resolve(changed)
    },
    options,
  )
  // A watch keeps no process alive, so the test has to.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => {
    clearInterval(alive)
    watch.close()
  })
  return {
    calls,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    check: () => watch.check(),
  }
}

t.test('written in place', async (t) => {
  const file = join(await folder(t), 'a')
  await writeFile(file, '1')
  const { next } = watching(t, [file], eventsOnly)
  const changed = next()
  await writeFile(file, '2')
  t.same(await changed, [file])
})

t.test('replaced by a rename, and only the file that changed is named', async (t) => {
  const directory = await folder(t)
  const [a, b] = [join(directory, 'a'), join(directory, 'b')]
  await writeFile(a, '1')
  await writeFile(b, '1')
  const { next } = watching(t, [a, b], eventsOnly)
  const changed = next()
  await writeFile(join(directory, '.a.tmp'), '2')
  await rename(join(directory, '.a.tmp'), a)
  t.same(await changed, [a])
})

t.test('swapped as Kubernetes does it: ..data points to another folder', async (t) => {
  const directory = await folder(t)
  for (const version of ['1', '2']) {
    await mkdir(join(directory, `..${version}`))
    await writeFile(join(directory, `..${version}`, 'policies.yaml'), version)
    await writeFile(join(directory, `..${version}`, 'models.yaml'), 'same')
  }
  await symlink('..1', join(directory, '..data'))
  const files = ['policies.yaml', 'models.yaml'].map((name) => join(directory, name))
  for (const name of ['policies.yaml', 'models.yaml']) await symlink(`..data/${name}`, join(directory, name))
  const { next } = watching(t, files, eventsOnly)
  const changed = next()
  await symlink('..2', join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
  t.same(await changed, [files[0]])
})

t.test('written again with the same content: no change', async (t) => {
  const directory = await folder(t)
  const file = join(directory, 'a')
  await writeFile(file, '1')
  const { calls, check, next } = watching(t, [file], eventsOnly)
  await writeFile(file, '1')
  await writeFile(join(directory, 'neighbor'), 'x')
  await check()
  t.same(calls, [])
  const changed = next()
  await writeFile(file, '2')
  await changed
  t.equal(calls.length, 1)
})

t.test('vanishes and returns', async (t) => {
  const file = join(await folder(t), 'a')
  await writeFile(file, '1')
  const { calls, check } = watching(t, [file], never)
  await unlink(file)
  await check()
  t.same(calls, [], 'gone is no change')
  await writeFile(file, '1')
  await check()
  t.same(calls, [], 'back as it was')
  await unlink(file)
  await check()
  await writeFile(file, '2')
  await check()
  t.same(calls, [[file]], 'back with other content')
})

t.test('a file, and a folder, that come later', async (t) => {
  const directory = await folder(t)
  const files = [join(directory, 'later'), join(directory, 'deep', 'later')]
  const { calls, check } = watching(t, files, never)
  await check()
  t.same(calls, [])
  await mkdir(join(directory, 'deep'))
  for (const file of files) await writeFile(file, '1')
  await check()
  t.same(calls, [files])
})

t.test('the poll finds what the system does not tell', async (t) => {
  const directory = await folder(t)
  await mkdir(join(directory, 'target'))
  const target = join(directory, 'target', 'a')
  await writeFile(target, '1')
  await mkdir(join(directory, 'watched'))
  const link = join(directory, 'watched', 'a')
  await symlink(target, link)
  const { next } = watching(t, [link], { pollMs: 10, debounceMs: 3_600_000 })
  const changed = next()
  await writeFile(target, '2')
  t.same(await changed, [link])
})

t.test('one call at a time; what is asked meanwhile is one more look', async (t) => {
  const file = join(await folder(t), 'a')
  await writeFile(file, '0')
  const release = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let running = 0
  let calls = 0
  const watch = watchFiles(
    [file],
    async () => {
      running += 1
      calls += 1
      begun.resolve()
      t.equal(running, 1)
      if (calls === 1) await release.promise
      running -= 1
    },
    never,
  )
  t.teardown(() => watch.close())
  await writeFile(file, '1')
  const first = watch.check()
  await begun.promise
  const more = Array.from({ length: 10 }, () => watch.check())
  await writeFile(file, '2')
  release.resolve()
  await Promise.all([first, ...more])
  t.equal(calls, 2)
})

t.test('a listener that throws is told of and called again', async (t) => {
  const file = join(await folder(t), 'a')
  await writeFile(file, '0')
  const failure = new Error('listener')
  const told = Promise.withResolvers<unknown>()
  let calls = 0
  const watch = watchFiles(
    [file],
    () => {
      calls += 1
      throw failure
    },
    { pollMs: 10, debounceMs: 3_600_000, onError: told.resolve },
  )
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => {
    clearInterval(alive)
    watch.close()
  })
  await writeFile(file, '1')
  t.equal(await told.promise, failure)
  await writeFile(file, '2')
  await t.rejects(watch.check(), failure)
  t.equal(calls, 2)
})

t.test('after close() nothing is called', async (t) => {
  const file = join(await folder(t), 'a')
  await writeFile(file, '1')
  let calls = 0
  const watch = watchFiles([file], () => {
    calls += 1
  })
  watch.close()
  await writeFile(file, '2')
  await watch.check()
  t.equal(calls, 0)
})

t.test('a folder that is a link is followed when the link is swapped, once and again', async (t) => {
  const root = await folder(t)
  const current = join(root, 'current')
  for (const version of ['v1', 'v2', 'v3']) {
    await mkdir(join(root, version, 'tls'), { recursive: true })
    await writeFile(join(root, version, 'tls/a'), version)
  }
  await symlink('v1', current)
  const file = join(current, 'tls/a')
  const { next, check } = watching(t, [file], eventsOnly)
  for (const version of ['v2', 'v3']) {
    const changed = next()
    await symlink(version, join(root, 'next'))
    await rename(join(root, 'next'), current)
    t.same(await changed, [file])
    await check()
  }
  const changed = next()
  await writeFile(join(root, 'v3/tls/a'), 'changed in place')
  t.same(await changed, [file], 'the folder that it leads to now is watched')
})

t.test('a folder that was removed and made again is watched again', async (t) => {
  const root = await folder(t)
  const inner = join(root, 'inner')
  const file = join(inner, 'a')
  await mkdir(inner)
  await writeFile(file, '1')
  const { next, check } = watching(t, [file], eventsOnly)
  await rm(inner, { recursive: true })
  await mkdir(inner)
  await writeFile(file, '1')
  await check()
  const changed = next()
  await writeFile(file, '2')
  t.same(await changed, [file])
})

t.test('a circle of links is no file, and ends', async (t) => {
  const root = await folder(t)
  await symlink('b', join(root, 'a'))
  await symlink('a', join(root, 'b'))
  const { check, calls } = watching(t, [join(root, 'a', 'file')], never)
  await check()
  t.same(calls, [])
})
