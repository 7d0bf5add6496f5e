/**
 * Compiled machines, kept on disk: to compile the catalog takes half a second, in every process.
 *
 * 1. A machine is looked for under a hash of all that it is made from: the rules, the compiler, the runtime.
 * 2. It is used only if its bytes have the hash that stands before them; otherwise it is compiled.
 * 3. It lies beside the installed packages: who can write there can change the program as well.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { Launch, Machine } from '../automaton.ts'
import type { Family, Recognizer } from '../recognizer.ts'
import { compile, compiledRule } from './compile.ts'
import { groupRules } from './launches.ts'
import { exactOf, type OwnedRule, parseHead, rulesIn } from './parsed-rule.ts'

/** What a machine is without the functions and objects of its rules. */
interface Stored extends Omit<Machine, 'recognizers' | 'rules' | 'launches'> {
  readonly lengths: readonly {
    readonly lengthMin: number
    readonly lengthMax: number
    readonly isExact: boolean
  }[]
  readonly launches: readonly Pick<Launch, 'starts' | 'looksFurther'>[]
}

const hashBytes = 32
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** The sources of everything that decides how a machine comes out. */
function compilerText(): string {
  const own = readdirSync(import.meta.dirname).toSorted()
  const paths = [...own, '../automaton.ts', '../pattern.ts', '../recognizer.ts']
  return paths.map((path) => readFileSync(join(import.meta.dirname, path), 'utf8')).join('\0')
}

/** Read when this file is loaded: later, the sources may be newer than the program. */
const compiler = compilerText()

/** Functions are told apart by the order in which they first come: rules with one guard share a start. */
function keyOf(family: Family, rules: readonly OwnedRule[]): string {
  const functions = new Map<unknown, number>()
  const numbered = (_: string, value: unknown): unknown => {
    if (typeof value !== 'function') return value
    functions.set(value, functions.get(value) ?? functions.size)
    return functions.get(value)
  }
  const text = JSON.stringify([family, process.version, rules.map(({ rule }) => rule), compiler], numbered)
  return createHash('sha256').update(text).digest('hex')
}

const stored = ({ recognizers, rules, launches, ...rest }: Machine): Stored => ({
  ...rest,
  lengths: rules.map(({ lengthMin, lengthMax, exact }) => ({
    lengthMin,
    lengthMax,
    isExact: exact !== undefined,
  })),
  launches: launches.map(({ starts, looksFurther }) => ({ starts, looksFurther })),
})

function revived({ lengths, launches, ...rest }: Stored, rules: readonly OwnedRule[]): Machine {
  const groups = groupRules(rules.map(({ rule }) => ({ rule, head: parseHead(rule.head) })))
  return {
    ...rest,
    recognizers: [...new Set(rules.map(({ recognizer }) => recognizer))],
    rules: rules.map(({ recognizer, rule }, index) => {
      const { isExact, ...length } = lengths[index] as Stored['lengths'][number]
      return compiledRule({ recognizer, rule, ...length, exact: isExact ? exactOf(rule) : undefined })
    }),
    launches: groups.map(({ guard, head }, index) => ({ ...(launches[index] as Launch), guard, head })),
  }
}

function read(path: string): Stored | undefined {
  try {
    const bytes = readFileSync(path)
    const body = bytes.subarray(hashBytes)
    return sha256(body).equals(bytes.subarray(0, hashBytes)) ? (deserialize(body) as Stored) : undefined
  } catch {
    return undefined
  }
}

/** Best effort: where nothing can be written, every process compiles. */
function write(folder: string, family: Family, name: string, machine: Stored): void {
  try {
    mkdirSync(folder, { recursive: true })
    const body = serialize(machine)
    const path = join(folder, `${process.pid}-${name}`)
    writeFileSync(path, Buffer.concat([sha256(body), body]))
    renameSync(path, join(folder, name))
    forgetOldest(folder, family)
  } catch {}
}

/** Several working trees may share their packages. */
const keptMax = 8

function forgetOldest(folder: string, family: Family): void {
  const paths = readdirSync(folder).flatMap((name) =>
    name.startsWith(`${family}-`) ? [join(folder, name)] : [],
  )
  const age = new Map(paths.map((path) => [path, -statSync(path).mtimeMs]))
  for (const path of paths.toSorted((a, b) => (age.get(a) ?? 0) - (age.get(b) ?? 0)).slice(keptMax))
    rmSync(path, { force: true })
}

/** What `compile` gives, from `folder` where it has been kept there. */
export function storedMachine(folder: string, family: Family, recognizers: readonly Recognizer[]): Machine {
  const rules = rulesIn(family, recognizers)
  const name = `${family}-${keyOf(family, rules)}`
  const kept = read(join(folder, name))
  if (kept !== undefined) return revived(kept, rules)
  const machine = compile(family, recognizers)
  write(folder, family, name, stored(machine))
  return machine
}
