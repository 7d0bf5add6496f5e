import { spawnSync } from 'node:child_process'
import t from 'tap'
import { greeting, readyLine } from '../../../src/commands/dev/greeting.ts'

const parts = (directory: string) => ({
  directory,
  version: '1.2.3',
  port: 8443,
  probesPort: 9464,
  opsPort: 9443,
  upstream: {
    origin: 'http://localhost:8000',
    server: 'vllm' as const,
    models: [{ name: 'demo', upstreamModel: 'demo' }],
    secured: 'none' as const,
  },
})

/** The words that a shell makes of a line. */
const words = (line: string): string[] => {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${line}`])
  return stdout.toString().split('\0').slice(0, -1)
}

t.test('the lines are good shell, whatever the folder is called', (t) => {
  for (const directory of ['.sallyport', 'my folder', "it's", '$HOME;rm', '"quoted" `dir`']) {
    const { commands } = JSON.parse(readyLine(parts(directory)))
    const refused = words(commands.refused)
    t.same(refused.slice(0, 3), ['curl', '--cacert', `${directory}/ca.crt`])
    const body = JSON.parse(refused.at(-1) as string)
    t.match(body, { model: 'demo', stream: true })
    t.ok(greeting(parts(directory)).includes(`\n  ${commands.refused}\n`), 'both forms print the same line')
    t.ok(greeting(parts(directory)).includes(`\n  ${commands.works}\n`))
  }
  t.end()
})

t.test('the line for programs is one line', (t) => {
  t.match(readyLine(parts('.sallyport')), /^\{.+\}\n$/)
  t.match(JSON.parse(readyLine(parts('.sallyport'))), { event: 'dev.ready', models: ['demo'] })
  t.end()
})
