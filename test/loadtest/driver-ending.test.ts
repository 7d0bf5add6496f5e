// A benchmark that ends in any way ends what it has started.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { Ending } from '../../loadtest/driver/ending.ts'

const ending = pathToFileURL(new URL('../../loadtest/driver/ending.ts', import.meta.url).pathname).href

/** A benchmark that starts a child and then goes on as `rest` says. It prints its folder, the id of its child, and that the folder is there. */
function bench(rest: string): ChildProcess {
  const program = `
    import { spawn } from 'node:child_process'
    import { existsSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    import { withEnding } from '${ending}'
    await withEnding(async (ending, folder) => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
      await ending.add(() => child.kill('SIGKILL'))
      console.log(folder + ' ' + child.pid + ' ' + existsSync(folder))
      ${rest}
    })`
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

async function endOf(child: ChildProcess, signal?: NodeJS.Signals) {
  const [line] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
  const [folder, pid, wasThere] = String(line).trim().split(' ') as [string, string, string]
  const ended = once(child, 'exit')
  if (signal !== undefined) child.kill(signal)
  const [code] = await ended
  return { code, wasThere: wasThere === 'true', folderLeft: existsSync(folder), pid: Number(pid) }
}

/** Resolves when there is no such process any more; a killed one is a moment longer there. */
async function gone(pid: number): Promise<boolean> {
  for (let look = 0; look < 200; look += 1) {
    if (!existsSync(`/proc/${pid}`)) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

t.test('done, failed and interrupted', async (t) => {
  const waits = 'await delay(60_000, undefined, { signal: ending.signal })'
  const cases = [
    { name: 'done', rest: '', signal: undefined, code: 0 },
    { name: 'failed', rest: 'throw new Error("x")', signal: undefined, code: 1 },
    { name: 'SIGINT', rest: waits, signal: 'SIGINT', code: 130 },
    { name: 'SIGTERM', rest: waits, signal: 'SIGTERM', code: 143 },
  ] as const
  for (const { name, rest, signal, code } of cases) {
    const end = await endOf(bench(rest), signal)
    t.equal(end.code, code, `${name}: exit code`)
    t.ok(end.wasThere && !end.folderLeft, `${name}: its folder is gone`)
    t.ok(await gone(end.pid), `${name}: its child is gone`)
  }
})

t.test('the last first, each once; what comes too late is closed at once', async (t) => {
  const closed: string[] = []
  const ending = new Ending()
  await ending.add(() => closed.push('model'))
  await ending.add(() => closed.push('gateway'))
  ending.interrupt()
  await ending.close()
  t.same(closed, ['gateway', 'model'])
  await t.rejects(
    ending.add(() => closed.push('late')),
    /interrupted/,
  )
  await ending.close()
  t.same(closed, ['gateway', 'model', 'late'])
})
