import { type Operation, operations, type QueryField } from './operations.ts'

export interface OpenApiParts {
  /** Of the gateway. */
  readonly version: string
  /** JSON Schema of every body, by name; the same that bodies are checked against. */
  readonly schemas: Readonly<Record<string, object>>
}

/** The OpenAPI 3.1 document of the admin API. */
export function openApiDocument({ version, schemas }: OpenApiParts): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations)
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: described(operation),
    }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sallyport admin API',
      version,
      description:
        'The listener of operators: mutual TLS, and a bearer token with a role of `ops.operatorRoles` (read and change) or `ops.auditorRoles` (read). Every change is an audit record before it is made.',
    },
    security: [{ mutualTls: [], bearerToken: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        mutualTls: { type: 'mutualTLS' },
        bearerToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  }
}

const jsonOf = (schema: object) => ({ 'application/json': { schema } })
const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const described = (operation: Operation): object => ({
  operationId: operation.id,
  summary: operation.summary,
  'x-sallyport-access': operation.access,
  ...withParameters(operation),
  ...(operation.body === undefined
    ? {}
    : { requestBody: { required: true, content: jsonOf(reference(operation.body)) } }),
  responses: {
    ...Object.fromEntries(
      Object.entries(operation.answers).map(([status, name]) => [status, answerOf(name, operation)]),
    ),
    default: { description: 'An error.', content: jsonOf(reference('Error')) },
  },
})

function withParameters({ path, query = [], precondition }: Operation): object {
  const parameters = [...pathParameters(path), ...query.map(queryParameter), ...headers(precondition)]
  return parameters.length === 0 ? {} : { parameters }
}

const pathParameters = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', maxLength: 128 },
  }))

const queryParameter = ({ name, description, pattern }: QueryField): object => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', pattern: pattern.source },
})

function headers(precondition: Operation['precondition']): object[] {
  if (precondition === undefined) return []
  const header = (name: string, description: string): object => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  })
  const ifMatch = header(
    'If-Match',
    'ETag of the version that is changed; "0" where no operator has set one.',
  )
  return precondition === 'honored'
    ? [ifMatch]
    : [ifMatch, header('If-None-Match', '`*`: no operator has set one yet. One of the two is demanded.')]
}

function answerOf(name: Operation['answers'][number], { precondition, method }: Operation): object {
  if (name === 'none') return { description: 'Done.' }
  const hasTag = name === 'Quota' || (precondition !== undefined && method !== 'DELETE')
  return {
    description: 'Done.',
    ...(hasTag
      ? {
          headers: {
            ETag: { description: "Version of the operator's document.", schema: { type: 'string' } },
          },
        }
      : {}),
    content: jsonOf(name === 'openapi' ? { type: 'object' } : reference(name)),
  }
}
