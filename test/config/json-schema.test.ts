import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configSchemas } from '../../src/config/consistency.ts'
import type { SchemaNode } from '../../src/config/defaults.ts'
import { jsonSchemaText } from '../../src/config/json-schema.ts'
import { configFiles, type Part } from '../../src/config/problem.ts'

const parts = Object.keys(configFiles) as Part[]

t.test('config/schema is fresh; write it with scripts/generate-schema.ts', async (t) => {
  for (const part of parts) {
    const path = join(import.meta.dirname, '../../config/schema', `${part}.json`)
    t.equal(readFileSync(path, 'utf8'), jsonSchemaText(part), part)
  }
})

t.test('fields with a default are not demanded, own keywords are gone', async (t) => {
  const gateway = JSON.parse(jsonSchemaText('gateway'))
  t.same(gateway.required, ['traffic', 'identity', 'audit'])
  t.same(gateway.properties.traffic.required, ['tls'])
  t.equal(gateway.properties.audit.properties.directory.file, undefined)
  t.ok(gateway.properties.identity.properties.issuers.items.properties.keys.anyOf[0].properties.file)
})

/** Every schema below `node` with its path. */
function* fields(node: SchemaNode, path: string): Generator<[string, SchemaNode]> {
  for (const [name, field] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${name}`, field]
    yield* fields(field, `${path}.${name}`)
  }
  for (const below of [...Object.values(node.patternProperties ?? {}), node.items, ...(node.anyOf ?? [])]) {
    if (below !== undefined) yield* fields(below, path)
  }
}

t.test('every field is described and bounded, every mapping is closed', async (t) => {
  for (const part of parts) {
    const root = configSchemas[part] as unknown as SchemaNode
    for (const [path, field] of fields(root, part)) {
      t.ok(field.description, `${path} has a description`)
      if (field.type === 'integer') {
        t.ok(
          typeof field['minimum'] === 'number' && typeof field['maximum'] === 'number',
          `${path} has bounds`,
        )
        const value = field.default as number | undefined
        t.ok(
          value === undefined || (value >= Number(field['minimum']) && value <= Number(field['maximum'])),
          path,
        )
      }
      if (field.type === 'object') t.equal(field['additionalProperties'], false, `${path} is closed`)
    }
  }
})
