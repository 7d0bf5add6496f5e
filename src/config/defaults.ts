/** The part of a JSON Schema that this folder walks over. */
export interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly [keyword: string]: unknown
}

/** The schema of the member `key` of a mapping, when it has one. */
export function memberSchema(schema: SchemaNode, key: string): SchemaNode | undefined {
  if (schema.properties !== undefined) {
    return Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
  }
  return Object.values(schema.patternProperties ?? {})[0]
}

/**
 * A copy of `value` in which every field that was left out has its default. Values of the wrong shape stay as they are.
 * Our own walk: that of the library throws on a mapping whose names are bounded by a pattern (typebox 1.4.3).
 */
export function withDefaults(schema: SchemaNode, value: unknown): unknown {
  if (value === undefined)
    return schema.default === undefined ? undefined : withDefaults(schema, structuredClone(schema.default))
  if (Array.isArray(value))
    return schema.items ? value.map((item) => withDefaults(schema.items as SchemaNode, item)) : value
  if (isMapping(value)) return mapping(schema, value)
  return value
}

function mapping(schema: SchemaNode, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => {
    const inner = memberSchema(schema, key)
    return [key, inner === undefined ? member : withDefaults(inner, member)]
  })
  const missing = Object.entries(schema.properties ?? {})
    .filter(([key]) => !Object.hasOwn(value, key))
    .map(([key, inner]): [string, unknown] => [key, withDefaults(inner, undefined)])
    .filter(([, member]) => member !== undefined)
  return Object.fromEntries([...entries, ...missing])
}

/** A mapping as YAML and JSON know it. */
export const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
