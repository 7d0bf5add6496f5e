/**
 * README.md does what it says. Every `sh` block carries a mark on the line before it, which says how it is run here:
 *
 * - `run: start`        it starts the gateway; what `expect:` comments after the block say is printed
 * - `run: after-start`  it is run while the gateway runs, with those expectations
 * - `not run: <why>`
 *
 * Blocks run as printed, but for the ports. A `ts` block that is marked is run as a module.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  type Child,
  type Ended,
  freshEnvironment,
  killGroup,
  runChild,
  startChild,
} from '../support/child.ts'
import { type Block, blocksOf, readDocument } from '../support/markdown.ts'
import { freePorts } from '../support/stack.ts'
import { copyTree } from '../support/tree-copy.ts'

const blocks = blocksOf(readDocument('README.md'))
const marked = (mark: string): Block[] => blocks.filter((block) => block.mark === mark)

t.test('every sh block says how it is tested, and what is run says what it prints', (t) => {
  const unmarked = blocks.filter(
    ({ language, mark = '' }) =>
      language === 'sh' && !/^(run: (start|after-start)|not run: \S.+)$/.test(mark),
  )
  t.same(unmarked, [])
  const expecting = blocks.filter(({ mark, expected }) => mark?.startsWith('run: ') && expected.length === 0)
  t.same(expecting, [])
  t.equal(marked('run: start').length, 1)
  t.ok(marked('run: after-start').length > 0)
  t.end()
})

t.test('what it says to run does what it says', async (t) => {
  const copy = copyTree()
  const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
  const options = { cwd: copy.folder, env: freshEnvironment() }
  const onPorts = (text: string): string =>
    text
      .replaceAll(/\b8443\b/g, `${port}`)
      .replaceAll(/\b9464\b/g, `${probesPort}`)
      .replaceAll(/\b9443\b/g, `${opsPort}`)
  const [start] = marked('run: start') as [Block]
  const flags = `--port ${port} --probes-port ${probesPort} --ops-port ${opsPort}`
  const gateway: Child = startChild('sh', ['-c', `exec ${start.text.trim()} -- ${flags}`], options)
  t.teardown(() => {
    killGroup(gateway.process)
    copy.remove()
  })
  await gateway.until(/Ctrl-C stops it/)
  for (const text of start.expected) t.ok(gateway.out.includes(onPorts(text)), text)

  const run = async ({ language, text }: Block): Promise<Ended> => {
    if (language === 'sh') return runChild('sh', ['-c', onPorts(text)], options)
    writeFileSync(join(copy.folder, 'example.ts'), onPorts(text))
    return runChild(process.execPath, ['example.ts'], options)
  }
  for (const block of marked('run: after-start')) {
    const { code, out, err } = await run(block)
    t.equal(code, 0, `line ${block.line}: ${err}`)
    for (const text of block.expected) t.ok(out.includes(onPorts(text)), `line ${block.line}: ${text}`)
  }
  gateway.process.kill('SIGINT')
  t.equal((await gateway.ended).code, 0)
})
