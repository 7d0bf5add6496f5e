import type { TSchema } from 'typebox'
import { configSchemas } from './consistency.ts'
import type { SchemaNode } from './defaults.ts'
import { configFiles, type Part } from './problem.ts'

const introduction = `# Configuration

Four files in one folder. This page is made from the schemas in \`src/config/schema\` by
\`scripts/generate-schema.ts\`; a test fails when it is stale. Relative paths start at the folder of the configuration.
\`sallyport config check\` shows every problem with its file, line and path. A file that is wrong stops the boot; in a running
gateway it leaves the old configuration in force. \`<name>\` stands for a name that you choose, \`[]\` for each entry of a list.
Fields without a default are demanded unless they are optional.
`

/** The text of docs/reference/config.md. */
export function configReference(): string {
  const chapters = (Object.keys(configFiles) as Part[]).map((part) => {
    const schema = configSchemas[part] as TSchema as SchemaNode
    const rows = [...fieldRows(schema, '')]
    return [
      `## ${configFiles[part]}`,
      '',
      `${schema.description}`,
      '',
      '| Field | Values | Default | |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${[introduction, ...chapters].join('\n\n').replaceAll('\n\n\n', '\n\n')}\n`
}

function* fieldRows(schema: SchemaNode, path: string): Generator<string> {
  const required = (schema['required'] ?? []) as readonly string[]
  for (const [key, field] of Object.entries(schema.properties ?? {})) {
    const inner = path === '' ? key : `${path}.${key}`
    yield row(inner, field, required.includes(key) ? 'demanded' : 'optional')
    yield* fieldRows(field, inner)
  }
  for (const below of Object.values(schema.patternProperties ?? {})) yield* fieldRows(below, `${path}.<name>`)
  if (schema.items) yield* fieldRows(schema.items, `${path}[]`)
  if (schema['oneRow'] === true) return
  for (const branch of schema.anyOf ?? []) yield* fieldRows(branch, path)
}

function row(path: string, field: SchemaNode, presence: 'demanded' | 'optional'): string {
  const cells = [`\`${path}\``, values(field), defaultOf(field, presence), field.description ?? '']
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function values(field: SchemaNode): string {
  if (Array.isArray(field['enum'])) return field['enum'].map((word) => `\`${word}\``).join(', ')
  if (field.type === 'integer') return `${field['minimum']} to ${field['maximum']}`
  if (typeof field['file'] === 'string') return field['file'] === 'folder' ? 'folder' : 'file'
  if (typeof field['expected'] === 'string') return field['expected']
  if (field.items) return `list: ${values(field.items)}`
  return { boolean: '`true`, `false`', string: 'text', object: 'mapping' }[String(field.type)] ?? ''
}

function defaultOf(field: SchemaNode, presence: 'demanded' | 'optional'): string {
  if (field.default === undefined) return presence === 'demanded' ? '' : 'optional'
  return field.type === 'object' ? '' : `\`${JSON.stringify(field.default)}\``
}
