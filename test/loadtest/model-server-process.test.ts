import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseFlags } from '../../loadtest/simulated/options.ts'
import { issueServer, makeAuthority } from '../support/certificates.ts'

const program = fileURLToPath(new URL('../../loadtest/model-server.ts', import.meta.url))
const run = (...args: string[]) =>
  spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
const exitOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on('exit', resolve))

t.test('as a program: says where it is, serves, and ends on a signal', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = run('--port', '0', '--model', 'm', '--reply', 'hello')
    const exit = exitOf(child)
    const [line] = await createInterface(child.stdout)
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [String(value)])
    const [, url] = /^simulated model server on (http:\/\/127\.0\.0\.1:\d+), model m$/.exec(line ?? '') ?? []
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
    const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
    t.match(await reply.json(), { choices: [{ message: { content: 'hello' } }] })
    child.kill(signal)
    t.equal(await exit, 0, signal)
  }
})

t.test('--help teaches; a bad flag is named, with exit code 2', async (t) => {
  const help = run('--help')
  t.match(
    await text(help.stdout),
    /node loadtest\/model-server\.ts --port 8000[\s\S]*--max-num-seqs[\s\S]*x-simulate/,
  )
  for (const args of [
    ['--port', '-1'],
    ['--nope'],
    ['--mode', 'dream'],
    ['--ssl-certfile', 'x'],
    ['--failure-types', 'x'],
  ]) {
    const child = run(...args)
    const exit = exitOf(child)
    t.match(await text(child.stderr), /^model-server: .*--?\w+/)
    t.equal(await exit, 2)
  }
})

t.test('flags become options', (t) => {
  const options = parseFlags(
    '--port 1 --time-to-first-token 5 --inter-token-latency-std-dev 2 --failure-types rate_limit,server_error --reply a --reply b --api-key k'.split(
      ' ',
    ),
  )
  t.match(options, {
    port: 1,
    timeToFirstTokenMs: 5,
    interTokenLatencyStdDevMs: 2,
    failureTypes: ['rate_limit', 'server_error'],
    reply: ['a', 'b'],
    apiKey: 'k',
  })
  t.equal(parseFlags(['-h']), 'help')
  t.end()
})

t.test('https with a client certificate, by flags', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'model-server-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const ca = await makeAuthority('CN=Model CA')
  const server = await issueServer(ca)
  const caller = await ca.issue({ subject: 'CN=gateway', eku: ['1.3.6.1.5.5.7.3.2'] })
  const files = { cert: server.cert, key: server.key, ca: ca.cert }
  for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem)
  const at = (name: string) => join(folder, name)
  const child = run(
    '--port',
    '0',
    '--ssl-certfile',
    at('cert'),
    '--ssl-keyfile',
    at('key'),
    '--ssl-ca-certs',
    at('ca'),
  )
  t.teardown(() => child.kill())
  const { value: line } = await createInterface(child.stdout)[Symbol.asyncIterator]().next()
  const [url] = /https:\S+\d/.exec(String(line)) ?? []
  const status = (identity: object) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { ca: ca.cert, agent: false, ...identity }
      const sent = request(`${url}/health`, options, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject).end()
    })
  t.equal(await status({ cert: caller.cert, key: caller.key }), 200)
  await t.rejects(status({}))
})
