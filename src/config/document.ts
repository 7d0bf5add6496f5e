import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { Path } from './problem.ts'

/** Aliases that one document may resolve to: enough for shared lists, too few for an explosion. */
const ALIASES_MAX = 100

/** Line and column, both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Fault extends Place {
  readonly message: string
}

/** One YAML 1.2 document, and where in the text each of its values stands. */
export interface ConfigDocument {
  readonly value: unknown
  readonly faults: readonly Fault[]
  /** The key of the value at `path`, or what is nearest above it. */
  place(path: Path): Place
}

const start: Place = { line: 1, column: 1 }

/** Reads one document of the YAML 1.2 core schema. Duplicate keys, unknown tags and alias explosions are faults. */
export function readDocument(text: string): ConfigDocument {
  try {
    return parse(text)
  } catch {
    return { value: undefined, faults: [{ ...start, message: 'is not valid YAML' }], place: () => start }
  }
}

function parse(text: string): ConfigDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    resolveKnownTags: false,
    merge: false,
    prettyErrors: false,
    // Not `silent`: then a second document would be dropped without a word.
    logLevel: 'error',
    lineCounter: lines,
  })
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  // An unknown tag (`!include`, `!!js/function`) is only a warning to the parser.
  const faults = [...document.errors, ...document.warnings].map((found) => ({
    ...at(found.pos[0]),
    // The parser recurses, and reports its own stack overflow.
    message: found.message.includes('call stack') ? 'is nested too deeply' : found.message,
  }))
  const resolve = (node: unknown): unknown => (isAlias(node) ? (node as Alias).resolve(document) : node)
  if (document.directives?.yaml.version !== '1.2') faults.push({ ...start, message: 'must be YAML 1.2' })
  return {
    value: faults.length > 0 ? undefined : toValue(document, faults),
    faults,
    place: (path) => at(offsetOf(resolve(document.contents), path, resolve)),
  }
}

function toValue(document: ReturnType<typeof parseDocument>, faults: Fault[]): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch {
    faults.push({
      ...start,
      message: `uses aliases (*name) that cannot be resolved or expand to more than ${ALIASES_MAX}`,
    })
    return undefined
  }
}

function offsetOf(root: unknown, path: Path, resolve: (node: unknown) => unknown): number {
  let node = root
  let offset = startOf(root) ?? 0
  for (const step of path) {
    const [next, value] = child(node, step)
    if (next === undefined) break
    offset = next
    node = resolve(value)
  }
  return offset
}

function child(node: unknown, step: string | number): [number | undefined, unknown] {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
    return [startOf(pair?.key), pair?.value]
  }
  if (isSeq(node) && typeof step === 'number') return [startOf(node.items[step]), node.items[step]]
  return [undefined, undefined]
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0]
