// A gateway that runs out of file descriptors: it stays up, whoever it cannot serve is told or not accepted, and once there
// are descriptors again it serves as before, with every exchange in the audit log.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Agent, fetch } from 'undici'
import { writeConfiguration } from '../../src/commands/dev/configuration.ts'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { startSimulatedUpstream } from '../../src/commands/dev/upstream.ts'
import { killGroup, runChild, startChild } from '../support/child.ts'
import { freePorts, until } from '../support/stack.ts'

const DESCRIPTORS_MAX = 256
const main = join(import.meta.dirname, '../../src/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-descriptors-'))
const upstream = await startSimulatedUpstream(await makeFolder(folder))
const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
writeConfiguration(folder, { port, probesPort, opsPort }, upstream)
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')

const gateway = startChild(
  'sh',
  [
    '-c',
    `ulimit -n ${DESCRIPTORS_MAX}; exec "$0" "$@"`,
    process.execPath,
    main,
    'serve',
    '-c',
    join(folder, 'config'),
    '--log-format',
    'json',
  ],
  { cwd: folder },
)
t.teardown(async () => {
  killGroup(gateway.process)
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The status, or `undefined` when there was no answer. Each on a connection of its own. */
async function chat(): Promise<number | undefined> {
  const dispatcher = new Agent({
    connect: { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key'), timeout: 2_000 },
  })
  try {
    const reply = await fetch(`https://localhost:${port}/v1/chat/completions`, {
      method: 'POST',
      dispatcher,
      signal: AbortSignal.timeout(4_000),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${read('token')}` },
      body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'hi' }] }),
    })
    await reply.text()
    return reply.status
  } catch {
    return undefined
  } finally {
    await dispatcher.destroy()
  }
}

t.test('more connections than descriptors', async (t) => {
  await gateway.until(/"listener":"probes"/)
  t.equal(await chat(), 200)
  const idle: Socket[] = []
  for (let number = 0; number < 2 * DESCRIPTORS_MAX; number += 1)
    idle.push(connect(port, '127.0.0.1').on('error', () => {}))
  // Connected says nothing: the kernel takes connections before the gateway does, and finds out that it cannot.
  await until(() => idle.some(({ destroyed }) => destroyed), 20_000)
  const statuses = await Promise.all([chat(), chat(), chat(), chat()])
  t.ok(
    statuses.every((status) => status === undefined || status === 200 || status >= 500),
    `${statuses}`,
  )
  t.equal(gateway.process.exitCode, null, 'it lives')
  t.ok(
    idle.some(({ destroyed }) => destroyed),
    'there were not enough of them',
  )
  for (const socket of idle) socket.destroy()
  await until(async () => (await chat()) === 200, 20_000)
  gateway.process.kill('SIGTERM')
  t.match(await gateway.ended, { code: 0 })
  const { code, err } = await runChild(process.execPath, [main, 'audit', 'verify', join(folder, 'audit')])
  t.equal(code, 0, `the audit log is whole ${err}`)
})
