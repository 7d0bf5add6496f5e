import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { run, until } from '../command.ts'
import { limitedRoles } from '../front.ts'
import type { Python } from '../python.ts'
import type { Section } from '../report.ts'

const program = (name: string): string => join(import.meta.dirname, '..', name)

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
  await runProgram(section, python, { file: 'python-client.py', label: 'python client', input })
  await section.check('python client: the server is free after its abort', async () => {
    const ms = await until('idle', async () => (await server.load()).running === 0)
    return `after ${ms} ms`
  })
}

/** The same client, with its own retries, does what scripts/real/python-limits.py says. */
export async function pythonLimitChecks(bench: Bench, python: Python): Promise<void> {
  const { section, front, model, longTokens, endless } = bench
  const roles = ['app', ...limitedRoles] as const
  const input = {
    base_url: front.baseUrl,
    folder: front.directory,
    tokens: Object.fromEntries(roles.map((role) => [role, front.token(role)])),
    model,
    long_tokens: longTokens,
    endless,
  }
  await runProgram(section, python, { file: 'python-limits.py', label: 'python client, limits', input })
}

interface Program {
  readonly file: string
  readonly label: string
  readonly input: object
}

/** Each line that it prints is one check. */
async function runProgram(section: Section, python: Python, { file, label, input }: Program): Promise<void> {
  let out = ''
  await section.check(`${label}: runs`, async () => {
    out = await run(python.command, [program(file)], { input: JSON.stringify(input) })
    return undefined
  })
  for (const line of out.split('\n').filter((text) => text.startsWith('{'))) {
    const { name, ok, note } = JSON.parse(line) as { name: string; ok: boolean; note: string }
    if (ok) section.pass(`${label}: ${name}`, note)
    else section.fail(`${label}: ${name}`, note)
  }
}
