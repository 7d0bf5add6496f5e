import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'

const log = JSON.stringify(new URL('../../src/telemetry/log.ts', import.meta.url).href)

/** Runs a program with the log on its real standard output, a pipe that is read once the program has said a line. */
async function run(program: string) {
  const code = `import { createLog } from ${log}\n${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const said = await new Promise<string>((resolve) =>
    child.stderr.once('data', (line) => resolve(String(line))),
  )
  child.stderr.resume()
  return { said, stdout: await text(child.stdout), exit: await exit }
}

t.test('on a pipe: JSON, a line an event, all of it written when the log is closed', async (t) => {
  const { stdout, said, exit } = await run(`
    const log = createLog({ level: 'info' })
    for (let n = 0; n < 5; n++) log.write('info', 'listening', 'here', { n })
    log.write('debug', 'listening', 'not shown', {})
    process.stderr.write('logged')
    await Promise.all([log.close(), log.close()])
    log.write('info', 'listening', 'too late', {})
    process.exit(0)`)
  t.equal(said, 'logged')
  t.equal(exit, 0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    lines.map(({ n }) => n),
    [0, 1, 2, 3, 4],
  )
})

t.test('a reader that stalls costs lines, not memory, and they are counted', async (t) => {
  const { stdout, said, exit } = await run(`
    let dropped = 0
    const log = createLog({ level: 'info', onDrop: (lines) => { dropped += lines } })
    const filler = 'x'.repeat(250)
    const fields = { a: filler, b: filler, c: filler, d: filler }
    for (let n = 0; n < 10_000; n++) log.write('info', 'listening', 'here', fields)
    process.stderr.write(String(dropped))
    await log.close()`)
  const dropped = Number(said)
  t.equal(exit, 0)
  t.ok(dropped > 0, `${dropped} lines dropped`)
  t.equal(stdout.trimEnd().split('\n').length, 10_000 - dropped, 'and all others written')
})

/** Runs a program with the log on a device that is always full. */
async function runOnFullDisk(program: string) {
  const full = openSync('/dev/full', 'w')
  const code = `import { createLog } from ${log}\n${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', full, 'pipe'],
    timeout: 15_000,
    killSignal: 'SIGKILL',
  })
  closeSync(full)
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return { said: await text(child.stderr as Readable), exit: await exit }
}

const fill = `
  let dropped = 0
  const log = createLog({ level: 'info', onDrop: (lines) => { dropped += lines } })
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, n) => ['f' + n, 'x'.repeat(250)]))
  const tick = () => new Promise(setImmediate)
  for (let n = 0; n < 3_000; n++) {
    log.write('info', 'listening', 'here', fields)
    if (n % 500 === 0) await tick()
  }`

t.test('a full disk behind stdout costs lines, which are counted, and nothing else', async (t) => {
  const { said, exit } = await runOnFullDisk(`${fill}
    await log.close()
    process.stderr.write(String(dropped))`)
  t.equal(exit, 0)
  t.match(said, /^[1-9]\d*$/)
})

t.test('an exit without a close does not wait for a disk that is full', async (t) => {
  const { said, exit } = await runOnFullDisk(`${fill}
    process.stderr.write('logged')
    process.exit(7)`)
  t.equal(exit, 7)
  t.equal(said, 'logged')
})

t.test('a reader that has gone costs lines, which are counted', async (t) => {
  const code = `import { createLog } from ${log}
    let dropped = 0
    const log = createLog({ level: 'info', onDrop: (lines) => { dropped += lines } })
    process.stdin.resume().once('end', async () => {
      while (dropped < 3) {
        log.write('info', 'listening', 'here', {})
        await new Promise(setImmediate)
      }
      await log.close()
      process.stderr.write('dropped')
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { timeout: 15_000 })
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const said = text(child.stderr)
  child.stdout.destroy()
  child.stdin.end()
  t.equal(await exit, 0)
  t.equal(await said, 'dropped')
})
