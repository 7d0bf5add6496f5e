/** `sallyport serve` as a process: how it starts, how it refuses to, and how it ends. */
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Agent, fetch } from 'undici'
import { writeConfiguration } from '../../src/commands/dev/configuration.ts'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { startSimulatedUpstream } from '../../src/commands/dev/upstream.ts'
import { type Child, groupLives, killGroup, listens, startChild } from '../support/child.ts'
import { freePorts, until } from '../support/stack.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-serve-'))
const secrets = await makeFolder(folder)
const upstream = await startSimulatedUpstream(secrets)
const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
writeConfiguration(folder, { port, probesPort, opsPort }, upstream)
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
const agent = new Agent({
  connect: { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') },
})

const running: Child[] = []
t.teardown(async () => {
  for (const child of running) killGroup(child.process)
  await agent.destroy()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

function serve(config = 'config', ...nodeOptions: string[]): Child {
  const args = [...nodeOptions, main, 'serve', '-c', join(folder, config), '--log-format', 'json']
  const child = startChild(process.execPath, args, { cwd: folder })
  running.push(child)
  return child
}

/** A copy of the configuration with gateway.yaml edited. */
function configure(name: string, edit: (text: string) => string): string {
  cpSync(join(folder, 'config'), join(folder, name), { recursive: true })
  const file = join(folder, name, 'gateway.yaml')
  writeFileSync(file, edit(readFileSync(file, 'utf8')))
  return name
}

const started = /"listener":"probes"/
const events = ({ out }: { readonly out: string }): string[] =>
  [...out.matchAll(/"event":"([a-z._]+)"/g)].map(([, event]) => event as string)
const ending = async (child: Child) => {
  const { code, signal } = await child.ended
  return { code, signal, alive: groupLives(child) }
}

/** A stream that has begun: its first bytes are here. */
async function openStream(words: number, gapMs: number): Promise<{ rest(): Promise<string> }> {
  const content = Array.from({ length: words }, (_, index) => `word${index % 7} `)
  const answer = await fetch(`https://localhost:${port}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${read('token')}` },
    body: JSON.stringify({
      model: 'demo',
      stream: true,
      messages: [{ role: 'user', content: `x-simulate: ${JSON.stringify({ content, gapMs })}` }],
    }),
  })
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  const parts = [(await reader.read()).value as Uint8Array]
  return {
    rest: async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return Buffer.concat(parts).toString()
        parts.push(value)
      }
    },
  }
}

const first = serve()
await first.until(started)

t.test('a start that is refused: said in one line, with nothing left open', async (t) => {
  const [one, two, three, four] = (await freePorts(4)) as [number, number, number, number]
  const text = read('config/gateway.yaml')
  const apart = (log: string, traffic: number, probes: number, ops: number) => (): string => {
    for (const name of [log, `${log}-quota`]) mkdirSync(join(folder, name), { mode: 0o700 })
    return text
      .replace('../audit', `../${log}`)
      .replace('../quota', `../${log}-quota`)
      .replace(`port: ${port}`, `port: ${traffic}`)
      .replace(`port: ${probesPort}`, `port: ${probes}`)
      .replace(`port: ${opsPort}`, `port: ${ops}`)
  }
  const starts = {
    'traffic port': serve(configure('busy-traffic', apart('log-1', port, one, four))),
    'probes port': serve(configure('busy-probes', apart('log-2', one, probesPort, four))),
    'operators port': serve(configure('busy-ops', apart('log-4', one, three, opsPort))),
    'audit folder': serve(configure('busy-log', (same) => same.replace(`port: ${port}`, `port: ${two}`))),
    'audit chain': serve(brokenChain(apart('log-3', two, three, four))),
    configuration: serve(configure('wrong', (same) => same.replace('port: ', 'prot: '))),
    'Node.js': serve(unnamedNode(), '--import', oldNode()),
  }
  const said = {
    'traffic port': [1, new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is in use\\. .+\\n$`)],
    'probes port': [1, new RegExp(`^Port ${probesPort} of 127\\.0\\.0\\.1 is in use\\. .+\\n$`)],
    'operators port': [1, new RegExp(`^Port ${opsPort} of 127\\.0\\.0\\.1 is in use\\. .+\\n$`)],
    'audit folder': [
      1,
      /^The gateway cannot start: the audit directory .+ is locked: process \d+ on this host .+\n$/,
    ],
    'audit chain': [
      1,
      /^The gateway cannot start: the audit log is broken at seq 1 .+sallyport audit verify.+\n$/,
    ],
    configuration: [3, /^The configuration is refused\.\n.+gateway\.yaml:\d+:\d+ .*prot/],
    'Node.js': [
      3,
      /^Node\.js 24\.0\.0 is below the security floor \(.+\)\. Upgrade, or name it: .+: 24\.0\.0\n$/,
    ],
  } as const
  for (const [what, child] of Object.entries(starts)) {
    const { code, out, err } = await child.ended
    const [expected, line] = said[what as keyof typeof said]
    t.equal(code, expected, what)
    t.match(err, line)
    t.notMatch(out, 'listens on')
  }
  t.equal(read('log-3/audit-000000000001.jsonl'), '{"not":"a record"}\n', 'evidence is left as it is')
  t.same(await Promise.all([one, two, three, four].map(listens)), [false, false, false, false])
})

t.test('SIGTERM: the stream that runs ends well, then the process does, with 0', async (t) => {
  const stream = await openStream(8, 80)
  first.process.kill('SIGTERM')
  t.match(await stream.rest(), /data: \[DONE\]\n\n$/)
  t.same(await ending(first), { code: 0, signal: null, alive: false })
  const told = events(await first.ended)
  t.same(told.slice(-4), ['drain.started', 'exchange.ended', 'drain.ended', 'gateway.stopped'])
})

t.test('one Ctrl-C that comes as two signals is one; a second one later ends it at once', async (t) => {
  const child = serve()
  await child.until(started)
  const stream = await openStream(200, 100)
  child.process.kill('SIGINT')
  child.process.kill('SIGINT')
  await child.until(/drain.started/)
  await sleep(1_100)
  t.equal(child.process.exitCode, null, 'it still drains')
  child.process.kill('SIGINT')
  await t.rejects(stream.rest(), 'the stream is cut')
  t.same(await ending(child), { code: 1, signal: null, alive: false })
})

t.test('on a full disk behind stdout it serves, and SIGTERM ends it with 0', async (t) => {
  const full = openSync('/dev/full', 'w')
  const args = [main, 'serve', '-c', join(folder, 'config'), '--log-format', 'json']
  const child = startChild(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  running.push(child)
  await until(() => listens(port), 30_000)
  const stream = await openStream(3, 1)
  t.match(await stream.rest(), /data: \[DONE\]\n\n$/)
  child.process.kill('SIGTERM')
  t.same(await ending(child), { code: 0, signal: null, alive: false })
})

t.test('the starts after that took over the audit log, and the log is intact', async (t) => {
  const verify = startChild(process.execPath, [main, 'audit', 'verify', join(folder, 'audit')])
  t.equal((await verify.ended).code, 0)
})

t.test(
  'an error that nothing caught: a log line that says where, an error event for the stream, and 1',
  async (t) => {
    const bug = join(folder, 'bug.mjs')
    writeFileSync(
      bug,
      "process.on('SIGUSR2', () => setImmediate(() => { throw new Error('simulated bug') }))\n",
    )
    const child = serve('config', '--import', bug)
    await child.until(started)
    const stream = await openStream(200, 100)
    child.process.kill('SIGUSR2')
    t.match(await stream.rest(), /"code":"draining"/)
    t.same(await ending(child), { code: 1, signal: null, alive: false })
    const { out } = await child.ended
    t.match(out, /"event":"failure".+bug\.mjs:1/)
    t.notOk(await listens(port))
  },
)

t.test('a rejection without a reason is an error too', async (t) => {
  const bug = join(folder, 'rejection.mjs')
  writeFileSync(bug, "process.on('SIGUSR2', () => void Promise.reject())\n")
  const child = serve('config', '--import', bug)
  await child.until(started)
  child.process.kill('SIGUSR2')
  t.same(await ending(child), { code: 1, signal: null, alive: false })
  t.match((await child.ended).out, /"event":"failure"/)
})

t.test('a Node.js below the floor serves when the configuration names its version', async (t) => {
  const named = configure('named', (text) =>
    text.replace(/^runtime:\n.+\n/m, 'runtime: {allowUnsupportedNode: 24.0.0}\n'),
  )
  const child = serve(named, '--import', oldNode())
  await child.until(started)
  t.match(child.out, /"event":"runtime.below_floor"/)
  child.process.kill('SIGTERM')
  t.same(await ending(child), { code: 0, signal: null, alive: false })
})

function brokenChain(edit: () => string): string {
  const config = configure('broken-log', edit)
  writeFileSync(join(folder, 'log-3', 'audit-000000000001.jsonl'), '{"not":"a record"}\n')
  return config
}

const unnamedNode = (): string => configure('unnamed', (text) => text.replace(/^runtime:\n.+\n/m, ''))

/** A module that makes the process believe that it runs on an old Node.js. */
function oldNode(): string {
  const file = join(folder, 'old-node.mjs')
  const versions = "{ value: { ...process.versions, node: '24.0.0' } }"
  writeFileSync(file, `Object.defineProperty(process, 'versions', ${versions})\n`)
  return file
}
