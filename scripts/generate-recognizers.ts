/** Writes the table of docs/reference/recognizers.md from src/redaction/catalog.ts. A test fails when it is stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { page, rewritten } from './recognizers/table.ts'

const file = join(import.meta.dirname, '..', page)
writeFileSync(file, rewritten(readFileSync(file, 'utf8')))
