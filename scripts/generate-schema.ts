/** Writes config/schema/*.json and docs/reference/config.md from src/config/schema. A test fails when they are stale. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonSchemaText } from '../src/config/json-schema.ts'
import { configFiles, type Part } from '../src/config/problem.ts'
import { configReference } from '../src/config/reference.ts'

const root = join(import.meta.dirname, '..')
mkdirSync(join(root, 'config', 'schema'), { recursive: true })
for (const part of Object.keys(configFiles) as Part[]) {
  writeFileSync(join(root, 'config', 'schema', `${part}.json`), jsonSchemaText(part))
}
mkdirSync(join(root, 'docs', 'reference'), { recursive: true })
writeFileSync(join(root, 'docs', 'reference', 'config.md'), configReference())
