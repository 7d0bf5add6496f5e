import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const names = [
  'admit',
  'charge',
  'document',
  'heartbeat',
  'peek',
  'probe',
  'renew',
  'reset',
  'settle',
] as const
export type ScriptName = (typeof names)[number]

/** A script runs whole on the server; nothing else runs meanwhile. */
export interface Script {
  readonly text: string
  /** What EVALSHA knows it by. */
  readonly sha: string
}

const read = (name: string): string => readFileSync(join(import.meta.dirname, 'lua', `${name}.lua`), 'utf8')
const shared = read('shared')

function scriptOf(name: ScriptName): Script {
  const text = `${shared}\n${read(name)}`
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const scripts = Object.fromEntries(names.map((name) => [name, scriptOf(name)])) as Readonly<
  Record<ScriptName, Script>
>
