import fc from 'fast-check'
import t from 'tap'
import { findOperation, MethodNotAllowed, operations } from '../../src/ops/operations.ts'
import { Refusal } from '../../src/refusal.ts'

const codeOf = (method: string, target: string): string => {
  try {
    return findOperation(method, target).operation.id
  } catch (error) {
    return error instanceof Refusal ? error.code : 'failure'
  }
}

t.test('each operation is found by its own path, and has a name of its own', (t) => {
  for (const { id, method, path } of operations)
    t.equal(codeOf(method, path.replace(/\{\w+\}/, 'some-name')), id)
  t.equal(new Set(operations.map(({ id }) => id)).size, operations.length)
  t.equal(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size, operations.length)
  t.end()
})

t.test('an operation that changes is for operators, and one that reads takes no precondition', (t) => {
  for (const { id, method, access, precondition } of operations) {
    const changes = method !== 'GET' && id !== 'explain'
    t.equal(access, changes ? 'change' : 'read', id)
    if (!changes) t.equal(precondition, undefined, id)
  }
  t.end()
})

t.test('what would have to be decoded, collapsed or trimmed names nothing', (t) => {
  for (const target of [
    '/admin/v1/quotas/',
    '/admin/v1//quotas',
    '/admin/v1/./quotas',
    '/admin/v1/quotas/..',
    '/admin/v1/quotas/%61',
    '/admin/v1/quotas/a/b',
    '/ADMIN/v1/quotas',
    '/admin/v1/quotas;x',
    '/admin/v1/usage/',
    '/admin/v1/decisions/',
    '/admin/v1',
    '/',
    '//admin/v1/quotas',
    '/v1/models',
  ])
    t.equal(codeOf('GET', target), 'unknown_url', target)
  t.equal(codeOf('POST', '/admin/v1/usage/reset'), 'resetBucket')
  t.equal(codeOf('GET', '/admin/v1/usage/reset'), 'method_not_allowed')
  t.end()
})

t.test('never fails, and no other text than a name becomes one', (t) => {
  fc.assert(
    fc.property(fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'BREW'), fc.string(), (method, text) => {
      const code = codeOf(method, `/admin/v1/quotas/${text}`)
      if (code === 'failure') return false
      const [name] = text.split('?') as [string]
      return /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(name) || code === 'unknown_url'
    }),
  )
  fc.assert(fc.property(fc.string(), (query) => codeOf('GET', `/admin/v1/usage?${query}`) !== 'failure'))
  t.pass('refused or found')
  t.end()
})

t.test('a refused method is told with those there are', (t) => {
  const refused = (): string => {
    try {
      return findOperation('POST', '/admin/v1/overrides/a').operation.id
    } catch (error) {
      return error instanceof MethodNotAllowed ? error.allow : 'failure'
    }
  }
  t.equal(refused(), 'DELETE')
  t.ok(new MethodNotAllowed(['GET', 'PUT']).allow === 'GET, PUT')
  t.end()
})
