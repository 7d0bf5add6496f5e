/**
 * `npm start` as somebody runs it who has just cloned: the real command, in a copy of the tree, with npm, a shell and
 * curl, and what it printed taken by its word.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startModelServer } from '../../loadtest/model-server.ts'
import { makeAuthority } from '../support/certificates.ts'
import {
  type Child,
  type Ended,
  freshEnvironment,
  groupLives,
  killGroup,
  listens,
  runChild,
  startChild,
} from '../support/child.ts'
import { freePorts } from '../support/stack.ts'
import { copyTree, type TreeCopy } from '../support/tree-copy.ts'

const copy: TreeCopy = copyTree()
const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
const options = { cwd: copy.folder, env: freshEnvironment() }
const running: Child[] = []
t.teardown(() => {
  for (const child of running) killGroup(child.process)
  copy.remove()
})

const ready = /Ctrl-C stops it/
function npmStart(
  more: { readonly ports?: readonly [number, number, number]; readonly upstream?: string } = {},
): Child {
  const [traffic, probes, ops] = more.ports ?? [port, probesPort, opsPort]
  const env = more.upstream ? freshEnvironment({ SALLYPORT_UPSTREAM: more.upstream }) : options.env
  const flags = ['--port', `${traffic}`, '--probes-port', `${probes}`, '--ops-port', `${ops}`]
  const child = startChild('npm', ['start', '--', ...flags], { ...options, env })
  running.push(child)
  return child
}

const shell = (line: string): Promise<Ended> => runChild('sh', ['-c', line], options)
const sallyport = (...args: string[]): Promise<Ended> =>
  runChild('npm', ['run', '-s', 'sallyport', '--', ...args], options)
const verifyAudit = async (): Promise<{ intact: boolean; records: number }> => {
  const args = ['src/main.ts', 'audit', 'verify', '.sallyport/audit', '--json']
  return JSON.parse((await runChild(process.execPath, args, options)).out)
}
const curlLines = (text: string): string[] =>
  [...text.matchAll(/^ {2}(curl .+)$/gm)].map(([, line]) => line as string)
const deltas = (sse: string): string =>
  [...sse.matchAll(/^data: (\{.+)$/gm)]
    .map(([, json]) => JSON.parse(json as string).choices?.[0]?.delta?.content ?? '')
    .join('')

/** A chat call that the simulated server answers word by word, `gapMs` apart. */
function slowCall(words: number, gapMs: number): Child {
  const content = Array.from({ length: words }, (_, index) => `word${index % 7} `)
  const messages = [{ role: 'user', content: `x-simulate: ${JSON.stringify({ content, gapMs })}` }]
  const body = JSON.stringify({ model: 'demo', stream: true, messages })
  writeFileSync(join(copy.folder, 'call.json'), body)
  return startChild('sh', ['-c', `${call} -d @call.json`], options)
}

const tls = '--cacert .sallyport/ca.crt --cert .sallyport/client.crt --key .sallyport/client.key'
const json = "-H 'content-type: application/json'"
const url = `https://localhost:${port}/v1/chat/completions`
const call = `curl -sSN ${tls} -H "authorization: Bearer $(cat .sallyport/token)" ${json} ${url}`
const hello = `-d '{"model":"demo","messages":[{"role":"user","content":"Hello"}]}'`
const withToken = (token: string, more = tls): Promise<Ended> =>
  shell(`curl -sS ${more} -H 'authorization: Bearer ${token}' ${json} ${url} -w '\\n%{http_code}' ${hello}`)

t.test('a first start', async (t) => {
  const first = npmStart()
  await first.until(ready)
  const [works, refused] = curlLines(first.out) as [string, string]

  await t.test('the first line that it prints streams a masked reply to its end', async (t) => {
    const { code, out } = await shell(works)
    t.equal(code, 0)
    t.equal(deltas(out), 'My card is [CREDIT_CARD], write to [EMAIL_ADDRESS]')
    t.match(out, /\ndata: \[DONE\]\n\n$/)
    t.notMatch(out.replaceAll(/"(?:id|created)":(?:"[^"]*"|\d+)/g, ''), /4111|jane/)
  })

  await t.test('the second is refused with 401 and JSON', async (t) => {
    const { out } = await shell(`${refused} -w '\\n%{http_code}'`)
    const [body, status] = out.split('\n') as [string, string]
    t.equal(status, '401')
    t.equal(JSON.parse(body).error.code, 'missing_token')
  })

  await t.test(
    'without a certificate, or with one of another authority, nobody gets a byte of HTTP',
    async (t) => {
      const none = await withToken('x', '--cacert .sallyport/ca.crt')
      t.match(none.err, /alert certificate required/)
      t.same([none.code === 0, none.out.trim()], [false, '000'])
      const other = await makeAuthority('somebody else')
      const leaf = await other.issue({ uris: ['spiffe://sallyport.test/developer'] })
      writeFileSync(join(copy.folder, 'other.crt'), leaf.cert)
      writeFileSync(join(copy.folder, 'other.key'), leaf.key)
      // Node.js judges the chain after the handshake, and closes without an alert: curl says 52 (or 56, on a reset).
      const strange = await withToken('x', '--cacert .sallyport/ca.crt --cert other.crt --key other.key')
      t.ok([52, 56].includes(strange.code as number), `curl exit code ${strange.code}`)
      t.equal(strange.out.trim(), '000')
    },
  )

  await t.test(
    'tokens from `sallyport token`: good, expired, bound to this certificate, bound to another',
    async (t) => {
      const statusOf = async (...args: string[]): Promise<string> => {
        const { out } = await sallyport('token', ...args)
        return (await withToken(out.trim())).out.split('\n').at(-1) as string
      }
      const all = [[], ['--lifetime', '-10'], ['--bind', '.sallyport/client.crt'], ['--bind', 'other.crt']]
      const statuses = await Promise.all(all.map((args) => statusOf(...args)))
      t.same(statuses, ['200', '401', '200', '401'])
    },
  )

  await t.test('the doctor finds nothing that fails', async (t) => {
    const { code, out } = await sallyport('doctor', '-c', '.sallyport/config')
    t.equal(code, 0, out)
    t.match(out, /answers and serves 1 of ours/)
    t.match(out, /the gateway that runs is ready/)
  })

  await t.test('operators need no option beside it', async (t) => {
    const { code, out } = await sallyport('quota', 'list')
    t.equal(code, 0)
    t.match(out, /^role\.app\.requests +60 +requests +minute +10 +tenant +roles app +enforce +role +0$/m)
  })

  await t.test('a second start on its ports, or in its folder, says so and leaves it alone', async (t) => {
    const before = readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8')
    const elsewhere = (await freePorts(3)) as [number, number, number]
    const starts = [npmStart(), npmStart({ ports: elsewhere })]
    const [samePorts, sameFolder] = (await Promise.all(starts.map(({ ended }) => ended))) as [Ended, Ended]
    t.equal(samePorts.code, 1)
    t.match(
      samePorts.err,
      `Port ${port} is in use. Stop what listens there, or choose another one: npm start -- --port`,
    )
    t.equal(sameFolder.code, 1)
    t.match(sameFolder.err, /A gateway runs in .+ already\. Stop it, or choose another folder/)
    t.equal(readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8'), before)
  })

  await t.test(
    'Ctrl-C in the middle of a stream: it runs to its end, and everything ends with 0',
    async (t) => {
      const stream = slowCall(12, 100)
      await stream.until(/word/)
      process.kill(-(first.process.pid as number), 'SIGINT')
      const { code, out } = await stream.ended
      t.equal(code, 0)
      t.match(out, /data: \[DONE\]\n\n$/)
      t.equal(deltas(out).trim().split(' ').length, 12)
      const ended = await first.ended
      t.same({ code: ended.code, signal: ended.signal }, { code: 0, signal: null })
      t.notOk(groupLives(first), 'no process is left')
      t.same(await Promise.all([port, probesPort, opsPort].map(listens)), [false, false, false])
    },
  )
})

t.test('the audit log is intact after it', async (t) => {
  t.same({ intact: (await verifyAudit()).intact }, { intact: true })
})

t.test('a second start in the same folder, in front of a model server of its own', async (t) => {
  const { records } = await verifyAudit()
  const before = readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8')
  const model = await startModelServer({ model: 'demo', mode: 'echo' })
  const origin = model.url
  const second = npmStart({ upstream: origin })
  await second.until(ready)
  t.match(second.out, `model "demo" -> ${origin} (yours, over plain HTTP)`)
  t.not(readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8'), before, 'certificates are made anew')
  const { out: echoed } = await shell(curlLines(second.out)[0] as string)
  t.match(deltas(echoed), /^My card is \[CREDIT_CARD\]/)

  await model.close()
  const dead = await shell(`${call} ${hello} -w '\\n%{http_code}'`)
  const [body, status] = dead.out.split('\n') as [string, string]
  t.equal(status, '502', 'the model server died while the gateway ran')
  t.equal(JSON.parse(body).error.code, 'upstream_unavailable')

  const again = await startModelServer({ model: 'demo', mode: 'echo', port: Number(new URL(origin).port) })
  t.teardown(() => again.close())
  const file = join(copy.folder, '.sallyport/config/gateway.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('deadlineMs: 5000', 'deadlineMs: 300'))
  await second.until(/config.reloaded/)
  const stream = slowCall(200, 100)
  await stream.until(/word/)
  second.process.kill('SIGINT')
  const { out } = await stream.ended
  t.match(
    out,
    /data: \{"error":\{.+"code":"draining".+\n\n$/,
    'npm alone is told: the stream ends with an error event',
  )
  t.notMatch(out, /\[DONE\]/)
  const ended = await second.ended
  t.same({ code: ended.code, signal: ended.signal }, { code: 0, signal: null })
  t.notOk(groupLives(second), 'no process is left')
  const report = await verifyAudit()
  t.equal(report.intact, true)
  t.ok(report.records > records + 4, 'the log goes on from the first start')
})

t.test('SALLYPORT_UPSTREAM that nobody answers on: one clear line, before anything is made', async (t) => {
  const [closed] = (await freePorts(1)) as [number]
  const before = readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8')
  const { code, err } = await npmStart({ upstream: `http://localhost:${closed}` }).ended
  t.equal(code, 1)
  t.match(
    err,
    `No model server answers on http://localhost:${closed}/v1/models (ECONNREFUSED). Start it, then try again.`,
  )
  t.equal(readFileSync(join(copy.folder, '.sallyport/ca.crt'), 'utf8'), before)
  t.ok(existsSync(join(copy.folder, '.sallyport/config/gateway.yaml')))
})
