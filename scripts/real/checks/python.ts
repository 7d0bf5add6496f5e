import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { run, until } from '../command.ts'
import type { Python } from '../python.ts'

const program = join(import.meta.dirname, '../python-client.py')

/** The stock Python client does what scripts/real/python-client.py says. */
export async function pythonChecks(bench: Bench, python: Python): Promise<void> {
  const { section, front, server, model, tokens, longTokens, endless } = bench
  const input = {
    base_url: front.baseUrl,
    folder: front.directory,
    token: front.token(),
    model,
    tokens,
    long_tokens: longTokens,
    endless,
  }
  let out = ''
  await section.check('python client: runs', async () => {
    out = await run(python.command, [program], { input: JSON.stringify(input) })
    return undefined
  })
  for (const line of out.split('\n').filter((text) => text.startsWith('{'))) {
    const { name, ok, note } = JSON.parse(line) as { name: string; ok: boolean; note: string }
    if (ok) section.pass(`python client: ${name}`, note)
    else section.fail(`python client: ${name}`, note)
  }
  await section.check('python client: the server is free after its abort', async () => {
    const ms = await until('idle', async () => (await server.load()).running === 0)
    return `after ${ms} ms`
  })
}
