/** Writes config/schema/*.json from the schemas in src/config/schema. A test fails when they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonSchemaText } from '../src/config/json-schema.ts'
import { configFiles, type Part } from '../src/config/problem.ts'

const directory = join(import.meta.dirname, '..', 'config', 'schema')
mkdirSync(directory, { recursive: true })
for (const part of Object.keys(configFiles) as Part[]) {
  writeFileSync(join(directory, `${part}.json`), jsonSchemaText(part))
}
