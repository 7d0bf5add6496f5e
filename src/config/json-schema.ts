import type { TSchema } from 'typebox'
import { configSchemas } from './consistency.ts'
import type { SchemaNode } from './defaults.ts'
import { configFiles, type Part } from './problem.ts'

/** Keywords of ours, which an editor would not know. */
const ownKeywords = new Set(['file', 'expected', 'keysExpected', 'oneRow'])

/** The text of config/schema/<part>.json: what editors check and explain while a file is written. */
export function jsonSchemaText(part: Part): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `config/${configFiles[part]}`,
    ...forEditors(configSchemas[part] as TSchema as SchemaNode),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** A schema without keywords of ours; what has a default need not be given. */
export function forEditors(schema: SchemaNode): Record<string, unknown> {
  const { required, properties, patternProperties, items, anyOf, ...rest } = schema
  const demanded = (required as readonly string[] | undefined)?.filter(
    (key) => properties?.[key]?.default === undefined,
  )
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([keyword]) => !ownKeywords.has(keyword))),
    ...(properties && { properties: eachForEditors(properties) }),
    ...(patternProperties && { patternProperties: eachForEditors(patternProperties) }),
    ...(items && { items: forEditors(items) }),
    ...(anyOf && { anyOf: anyOf.map(forEditors) }),
    ...(demanded && demanded.length > 0 && { required: demanded }),
  }
}

const eachForEditors = (schemas: Readonly<Record<string, SchemaNode>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, forEditors(schema)]))
