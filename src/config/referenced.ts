import { isMapping, memberSchema, type SchemaNode } from './defaults.ts'
import type { Path } from './problem.ts'
import type { FileKind } from './schema/field.ts'

/** A path that the configuration names. */
export interface FileReference {
  readonly path: Path
  readonly kind: FileKind
  /** As it was written. */
  readonly file: string
}

/** Every path that a valid value names, in the order of the file. */
export function referencedFiles(schema: SchemaNode, value: unknown, path: Path = []): FileReference[] {
  if (typeof value === 'string') {
    return schema['file'] === undefined ? [] : [{ path, kind: schema['file'] as FileKind, file: value }]
  }
  if (schema.anyOf) return referencedFiles(branchFor(schema.anyOf, value), value, path)
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => referencedFiles(schema.items ?? {}, item, [...path, index]))
  }
  if (!isMapping(value)) return []
  return Object.entries(value).flatMap(([key, member]) =>
    referencedFiles(memberSchema(schema, key) ?? {}, member, [...path, key]),
  )
}

/** The branch of a union that a valid mapping belongs to: the one that knows all of its keys. */
const branchFor = (branches: readonly SchemaNode[], value: unknown): SchemaNode =>
  (isMapping(value)
    ? branches.find((branch) => Object.keys(value).every((key) => memberSchema(branch, key) !== undefined))
    : undefined) ?? {}

/** A copy in which the value at each of the paths is replaced. */
export function withReplaced(
  value: unknown,
  replacements: readonly { path: Path; value: string }[],
): unknown {
  const copy = structuredClone(value)
  for (const { path, value: replacement } of replacements) {
    let parent = copy as Record<string | number, unknown>
    for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>
    parent[path.at(-1) as string | number] = replacement
  }
  return copy
}
