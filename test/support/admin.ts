/**
 * An operator who believes nothing: every answer of the admin API is held against the schema that the OpenAPI document
 * has for it, and against what every answer must have.
 */
import assert from 'node:assert/strict'
import { checkAdminBody } from '../../src/config/operator-shape.ts'
import type { AdminSchemaName } from '../../src/config/schema/admin-api.ts'
import { findOperation, type OperationId } from '../../src/ops/operations.ts'
import type { AdminOptions, Stack } from './stack.ts'

type Fields = Record<string, unknown>

export interface AdminAnswer {
  readonly status: number
  readonly etag: string | undefined
  readonly headers: Headers
  readonly body: Fields
  /** `error.code` of a refusal. */
  readonly code: string | undefined
  /** `error.param` of a refusal. */
  readonly param: string | undefined
}

/** Operations that were answered with success, and how. */
export const answered = new Set<`${OperationId} ${number}`>()

export async function ask(
  stack: Pick<Stack, 'admin'>,
  method: string,
  path: string,
  options?: AdminOptions,
): Promise<AdminAnswer> {
  const reply = await stack.admin(method, path, options)
  const text = await reply.text()
  const body = text === '' ? {} : (JSON.parse(text) as Fields)
  assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  checkBody(method, path, { status: reply.status, body, isEmpty: text === '' })
  const error = (body['error'] ?? {}) as Fields
  return {
    status: reply.status,
    etag: reply.headers.get('etag') ?? undefined,
    headers: reply.headers as unknown as Headers,
    body,
    code: error['code'] as string | undefined,
    param: (error['param'] as string | null) ?? undefined,
  }
}

function checkBody(
  method: string,
  path: string,
  { status, body, isEmpty }: { readonly status: number; readonly body: Fields; readonly isEmpty: boolean },
): void {
  if (status >= 400) {
    fits('Error', body, `${method} ${path} ${status}`)
    return
  }
  const { operation } = findOperation(method, `/admin/v1${path}`)
  const name = operation.answers[status]
  assert.ok(name, `${operation.id} may answer ${status}`)
  answered.add(`${operation.id} ${status}`)
  if (name === 'none') assert.ok(isEmpty, 'no body')
  else if (name !== 'openapi') fits(name, body, `${method} ${path} ${status}`)
}

function fits(name: AdminSchemaName, body: Fields, what: string): void {
  const checked = checkAdminBody(name, body)
  assert.deepEqual('mistakes' in checked ? checked.mistakes : [], [], `${what} is a ${name}`)
  // Defaults are for requests: an answer says everything.
  if ('value' in checked) assert.deepEqual(checked.value, body, `${what} leaves nothing to defaults`)
}

/** A rule of requests, as short as one can be. */
export const rule = (changes: Fields = {}): Fields => ({
  counts: 'requests',
  per: 'minute',
  amount: 60,
  by: ['tenant'],
  ...changes,
})

export const toCreate = { 'if-none-match': '*' }
export const ifMatch = (version: number | string) => ({ 'if-match': `"${version}"` })

/** Audit records of operators' changes. */
export const changesOf = (stack: Pick<Stack, 'audit'>): Fields[] =>
  stack.audit().filter(({ event }) => /^(?:quota|override|bucket)\./.test(String(event)))
