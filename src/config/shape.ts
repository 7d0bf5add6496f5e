import type { TSchema } from 'typebox'
// Not `Value.Errors` of `typebox/value`, which is the same with 160 modules more.
import { Errors } from 'typebox/schema'
import { Settings } from 'typebox/system'
import { type SchemaNode, withDefaults } from './defaults.ts'
import { list, type Path, quote } from './problem.ts'

/** Mistakes that are reported for one file; the default of the library, 8, would hide the rest. */
const MISTAKES_MAX = 500
Settings.Set({ maxErrors: MISTAKES_MAX, useAcceleration: false })

export interface Mistake {
  readonly path: Path
  readonly message: string
}

type LibraryError = ReturnType<typeof Errors>[1][number]

/** Fills in defaults and checks a value against a schema. `value` is only of the schema's type when there are no mistakes. */
export function checkShape(
  schema: TSchema,
  input: unknown,
): { readonly value: unknown; readonly mistakes: Mistake[] } {
  if (input === null || input === undefined)
    return { value: undefined, mistakes: [{ path: [], message: 'is empty' }] }
  const value = withDefaults(schema as SchemaNode, input)
  const [, errors] = Errors(schema, value)
  const unions = errors
    .filter(({ keyword }) => keyword === 'anyOf')
    .map(({ schemaPath }) => `${schemaPath}/anyOf/`)
  const mistakes = errors
    // What each branch of a union has against a value says less than what the union is for.
    .filter(({ schemaPath }) => !unions.some((union) => schemaPath.startsWith(union)))
    .flatMap((found) => explain(found, schema as SchemaNode, value))
  return { value, mistakes: distinct(mistakes) }
}

function explain(found: LibraryError, root: SchemaNode, value: unknown): Mistake[] {
  const path = pathOf(found.instancePath, value)
  const node = at(root, steps(found.schemaPath)) as SchemaNode
  // `additionalProperties: false` reports twice: as a schema that is false, and by name.
  if (found.keyword === 'boolean') return []
  if (found.keyword === 'additionalProperties') {
    return found.params.additionalProperties.map((key) => ({
      path: [...path, key],
      message: unknownKey(key, node),
    }))
  }
  if (found.keyword === 'required') {
    return found.params.requiredProperties.map((key) => ({
      path: [...path, key],
      message: `is missing. ${describe(node, key)}`,
    }))
  }
  if (at(value, path) === null) return [{ path, message: 'is empty: give it a value or remove the key' }]
  return [{ path, message: expectation(found, node) }]
}

const unknownKey = (key: string, node: SchemaNode): string =>
  typeof node['keysExpected'] === 'string'
    ? `${quote(key)} cannot stand here; allowed are ${node['keysExpected']}`
    : `is not a key that is known here; allowed are: ${list(Object.keys(node['properties'] ?? {}))}`

const describe = (node: SchemaNode, key: string): string => {
  const field = at(node, ['properties', key]) as SchemaNode | undefined
  return String(field?.['description'] ?? '')
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a mapping (key: value)',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
}

/** What is allowed, in words. The library's own message is the last resort. */
function expectation(found: LibraryError, node: SchemaNode): string {
  if (typeof node['expected'] === 'string') return `must be ${node['expected']}`
  switch (found.keyword) {
    case 'type':
      return `must be ${typeNames[String(node['type'])] ?? node['type']}${range(node)}`
    case 'minimum':
    case 'maximum':
      return `must be a whole number${range(node)}`
    case 'enum':
      return `must be one of: ${found.params.allowedValues.join(', ')}`
    case 'minLength':
    case 'maxLength':
      return `must have ${node['minLength'] ?? 0} to ${node['maxLength']} characters`
    case 'pattern':
      return `must match ${node['pattern']}`
    case 'minItems':
    case 'maxItems':
      return `must have ${node['minItems'] ?? 0} to ${node['maxItems'] ?? 'any number of'} entries`
    case 'maxProperties':
      return `must have at most ${node['maxProperties']} entries`
    case 'uniqueItems':
      return 'must not hold the same entry twice'
    default:
      return found.message
  }
}

const range = (node: SchemaNode): string =>
  node['minimum'] === undefined ? '' : ` from ${node['minimum']} to ${node['maximum']}`

const steps = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** A JSON pointer as a path; indexes of lists become numbers. */
function pathOf(pointer: string, root: unknown): Path {
  let node = root
  return steps(pointer).map((step) => {
    const next = Array.isArray(node) ? Number(step) : step
    node = at(node, [next])
    return next
  })
}

function at(root: unknown, path: Path): unknown {
  let node = root
  for (const step of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined
    node = (node as Record<string | number, unknown>)[step]
  }
  return node
}

function distinct(mistakes: readonly Mistake[]): Mistake[] {
  const byText = new Map(
    mistakes.map((mistake) => [`${JSON.stringify(mistake.path)} ${mistake.message}`, mistake]),
  )
  return [...byText.values()]
}
