/**
 * Every operation of the admin API once: requests are dispatched by this table, and the OpenAPI document is made of it.
 * Paths are compared as they were sent. Only the last part may be a parameter, and a parameter is a name or an id: what
 * would have to be decoded, collapsed or trimmed names nothing here.
 */
import type { AdminSchemaName } from '../config/schema/admin-api.ts'
import { Refusal } from '../refusal.ts'

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'

export interface QueryField {
  readonly name: string
  readonly description: string
  readonly pattern: RegExp
}

export interface Operation {
  readonly id: OperationId
  readonly method: Method
  /** A part in braces, the last, is a parameter. */
  readonly path: string
  readonly summary: string
  /** Whether an auditor may, too. */
  readonly access: 'read' | 'change'
  readonly body?: AdminSchemaName
  readonly query?: readonly QueryField[]
  /** `demanded`: one of If-Match and If-None-Match must be given. `honored`: If-Match is asked where it is given. */
  readonly precondition?: 'demanded' | 'honored'
  readonly answers: Readonly<Record<number, AdminSchemaName | 'none' | 'openapi'>>
}

export type OperationId =
  | 'listQuotas'
  | 'getQuota'
  | 'putQuota'
  | 'patchQuota'
  | 'deleteQuota'
  | 'listOverrides'
  | 'createOverride'
  | 'deleteOverride'
  | 'getUsage'
  | 'resetBucket'
  | 'explain'
  | 'getDecision'
  | 'listPools'
  | 'getOpenApi'

const base = '/admin/v1'
const noControls = '[^\\u0000-\\u001f\\u007f]'

const usageQuery: readonly QueryField[] = [
  { name: 'limit', description: 'Name of a limit.', pattern: /^[a-z0-9._-]{1,128}$/ },
  {
    name: 'tenant',
    description: 'Buckets of one tenant.',
    pattern: new RegExp(`^${noControls}{1,512}$`, 'u'),
  },
  {
    name: 'prefix',
    description: 'Beginning of the keys.',
    pattern: new RegExp(`^${noControls}{0,1024}$`, 'u'),
  },
  {
    name: 'cursor',
    description: 'Cursor of the page before.',
    pattern: new RegExp(`^${noControls}{0,8192}$`, 'u'),
  },
  {
    name: 'count',
    description: 'Buckets of a page, 1 to 500; 100.',
    pattern: /^(?:[1-9]\d?|[1-4]\d\d|500)$/,
  },
]

export const operations: readonly Operation[] = [
  {
    id: 'listQuotas',
    method: 'GET',
    path: `${base}/quotas`,
    summary: 'Every limit, configured or set by an operator.',
    access: 'read',
    answers: { 200: 'QuotaList' },
  },
  {
    id: 'getQuota',
    method: 'GET',
    path: `${base}/quotas/{name}`,
    summary: 'One limit. The ETag is its version.',
    access: 'read',
    answers: { 200: 'Quota' },
  },
  {
    id: 'putQuota',
    method: 'PUT',
    path: `${base}/quotas/{name}`,
    summary: "Creates or replaces an operator's quota, which wins over the configuration.",
    access: 'change',
    body: 'LimitRule',
    precondition: 'demanded',
    answers: { 200: 'Quota', 201: 'Quota' },
  },
  {
    id: 'patchQuota',
    method: 'PATCH',
    path: `${base}/quotas/{name}`,
    summary: 'Changes fields of what counts now, and sets the result as an operator’s quota.',
    access: 'change',
    body: 'LimitPatch',
    precondition: 'demanded',
    answers: { 200: 'Quota', 201: 'Quota' },
  },
  {
    id: 'deleteQuota',
    method: 'DELETE',
    path: `${base}/quotas/{name}`,
    summary: "Takes an operator's quota away; what is configured under its name counts again.",
    access: 'change',
    precondition: 'honored',
    answers: { 204: 'none' },
  },
  {
    id: 'listOverrides',
    method: 'GET',
    path: `${base}/overrides`,
    summary: 'Overrides that have not ended.',
    access: 'read',
    answers: { 200: 'OverrideList' },
  },
  {
    id: 'createOverride',
    method: 'POST',
    path: `${base}/overrides`,
    summary: 'Another amount for some buckets of a limit, for a time.',
    access: 'change',
    body: 'OverrideRequest',
    answers: { 201: 'Override' },
  },
  {
    id: 'deleteOverride',
    method: 'DELETE',
    path: `${base}/overrides/{id}`,
    summary: 'Ends an override before its time.',
    access: 'change',
    answers: { 204: 'none' },
  },
  {
    id: 'getUsage',
    method: 'GET',
    path: `${base}/usage`,
    summary: 'Buckets in use, and who met a limit lately.',
    access: 'read',
    query: usageQuery,
    answers: { 200: 'Usage' },
  },
  {
    id: 'resetBucket',
    method: 'POST',
    path: `${base}/usage/reset`,
    summary: 'Empties one bucket.',
    access: 'change',
    body: 'ResetRequest',
    answers: { 200: 'Reset' },
  },
  {
    id: 'explain',
    method: 'POST',
    path: `${base}/explain`,
    summary: 'What would become of a call, step by step. Changes nothing.',
    access: 'read',
    body: 'ExplainRequest',
    answers: { 200: 'Explanation' },
  },
  {
    id: 'getDecision',
    method: 'GET',
    path: `${base}/decisions/{request_id}`,
    summary: 'Why an exchange of the last day was refused.',
    access: 'read',
    answers: { 200: 'Decision' },
  },
  {
    id: 'listPools',
    method: 'GET',
    path: `${base}/pools`,
    summary: 'Pools of model servers as this replica sees them: health, load and limit of each server.',
    access: 'read',
    answers: { 200: 'PoolList' },
  },
  {
    id: 'getOpenApi',
    method: 'GET',
    path: `${base}/openapi.json`,
    summary: 'This document.',
    access: 'read',
    answers: { 200: 'openapi' },
  },
]

/** What a request asks for. */
export interface Found {
  readonly operation: Operation
  /** The last part of the path, where it is a parameter. */
  readonly parameter: string
  readonly query: ReadonlyMap<string, string>
}

const parameterPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/

/** Throws `unknown_url`, `method_not_allowed` or `invalid_value`. */
export function findOperation(method: string, target: string): Found {
  const end = target.indexOf('?')
  const path = end === -1 ? target : target.slice(0, end)
  const onPath = operations.flatMap((operation) => {
    const parameter = parameterOf(operation.path, path)
    return parameter === undefined ? [] : [{ operation, parameter }]
  })
  if (onPath.length === 0) throw new Refusal('unknown_url', 'path is not in the table')
  const found = onPath.find(({ operation }) => operation.method === method)
  if (found === undefined) throw new MethodNotAllowed(onPath.map(({ operation }) => operation.method))
  return { ...found, query: queryOf(end === -1 ? '' : target.slice(end + 1), found.operation) }
}

/** Says which methods there are (RFC 9110 section 15.5.6). */
export class MethodNotAllowed extends Refusal {
  readonly allow: string

  constructor(methods: readonly Method[]) {
    super('method_not_allowed', `takes ${methods.join(', ')}`)
    this.allow = methods.join(', ')
  }
}

function parameterOf(pattern: string, path: string): string | undefined {
  const brace = pattern.indexOf('{')
  if (brace === -1) return path === pattern ? '' : undefined
  if (!path.startsWith(pattern.slice(0, brace))) return undefined
  const parameter = path.slice(brace)
  return parameterPattern.test(parameter) ? parameter : undefined
}

/** Each field once, of the operation's own; throws `unknown_parameter` or `invalid_value`. */
function queryOf(text: string, { query = [] }: Operation): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  if (text === '') return values
  if (text.length > 16_384) throw new Refusal('invalid_value', 'query too long')
  for (const [name, value] of new URLSearchParams(text)) {
    const field = query.find((each) => each.name === name)
    if (field === undefined) throw new Refusal('unknown_parameter', 'query field')
    if (values.has(name) || !field.pattern.test(value))
      throw new Refusal('invalid_value', `query field ${name}`, { param: name })
    values.set(name, value)
  }
  return values
}
