// Operators set quotas while traffic flows: preconditions, effect, audit.
import t from 'tap'
import { ask, changesOf, ifMatch, rule, toCreate } from '../support/admin.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack({
  policies: {
    limits: { configured: { counts: 'total_tokens', per: 'minute', amount: 100_000, by: ['tenant'] } },
  },
})
t.teardown(() => stack.stop())

const chat = async (): Promise<number> => {
  const reply = await stack.post('/v1/chat/completions', {
    model: 'demo',
    messages: [{ role: 'user', content: 'hi' }],
    max_tokens: 8,
  })
  await reply.text()
  return reply.status
}

t.test('every limit is listed, whoever set it', async (t) => {
  const { status, body } = await ask(stack, 'GET', '/quotas')
  t.equal(status, 200)
  const quotas = body['quotas'] as { name: string; source: string; version: string }[]
  t.match(
    quotas.find(({ name }) => name === 'configured'),
    { source: 'config', version: '0', rule: { amount: 100_000 } },
  )
  t.match(
    quotas.find(({ name }) => name === 'role.app.requests'),
    { source: 'role', version: '0' },
  )
  t.same(
    quotas.map(({ name }) => name),
    quotas.map(({ name }) => name).toSorted(),
  )
})

t.test('a quota is created, counts at once, is replaced and taken away', async (t) => {
  const name = '/quotas/few'
  t.equal((await ask(stack, 'GET', name)).code, 'not_found')
  const created = await ask(stack, 'PUT', name, { body: rule({ amount: 6, burst: 2 }), headers: toCreate })
  t.match(created, {
    status: 201,
    etag: '"1"',
    body: { name: 'few', source: 'operator', version: '1', configured: null, changed_by: 'test/alice' },
  })
  t.same([await chat(), await chat(), await chat()], [200, 200, 429])
  const replaced = await ask(stack, 'PUT', name, {
    body: rule({ amount: 600, burst: 600 }),
    headers: ifMatch(1),
  })
  t.match(replaced, { status: 200, etag: '"2"' })
  t.equal(await chat(), 200, 'the new amount counts at once')
  t.match(await ask(stack, 'GET', name), { status: 200, etag: '"2"', body: { rule: { amount: 600 } } })
  t.equal((await ask(stack, 'DELETE', name, { headers: ifMatch(2) })).status, 204)
  t.equal((await ask(stack, 'GET', name)).status, 404)
  t.equal((await ask(stack, 'DELETE', name)).code, 'not_found')
  t.match(
    changesOf(stack).filter(({ name }) => name === 'few'),
    [
      { event: 'quota.changed', principal: 'test/alice', before: null, after: { amount: 6, burst: 2 } },
      { event: 'quota.changed', before: { amount: 6 }, after: { amount: 600 } },
      { event: 'quota.deleted', before: { amount: 600 }, after: null },
    ],
  )
})

t.test('whoever does not say which version is changed changes nothing', async (t) => {
  const name = '/quotas/guarded'
  const body = rule()
  t.match(await ask(stack, 'PUT', name, { body }), { status: 428, code: 'precondition_required' })
  t.match(await ask(stack, 'PATCH', name, { body: {} }), { status: 428, code: 'precondition_required' })
  t.match(await ask(stack, 'PUT', name, { body, headers: ifMatch(1) }), { status: 412 })
  t.match(await ask(stack, 'PUT', name, { body, headers: ifMatch(0) }), { status: 201, etag: '"1"' })
  t.match(await ask(stack, 'PUT', name, { body, headers: toCreate }), { status: 412 })
  t.match(await ask(stack, 'PUT', name, { body, headers: ifMatch(0) }), { status: 412 })
  t.match(await ask(stack, 'DELETE', name, { headers: ifMatch(9) }), { status: 412 })
  for (const tag of ['*', '1', '"1", "2"', '"one"', '""', '"01"', 'W/"1"', '"1e0"', '"-1"']) {
    const { status } = await ask(stack, 'PUT', name, { body, headers: { 'if-match': tag } })
    t.ok(status === 400 || status === 412, `${tag}: ${status}`)
  }
  t.match(await ask(stack, 'PUT', name, { body, headers: { 'if-none-match': '"1"' } }), { status: 400 })
  t.match(await ask(stack, 'GET', name), { etag: '"1"' })
  t.equal(changesOf(stack).filter(({ name }) => name === 'guarded').length, 1)
})

t.test('an ETag of a quota that was deleted never fits a later one', async (t) => {
  const name = '/quotas/again'
  await ask(stack, 'PUT', name, { body: rule(), headers: toCreate })
  await ask(stack, 'DELETE', name)
  const again = await ask(stack, 'PUT', name, { body: rule({ amount: 7 }), headers: toCreate })
  t.match(again, { status: 201, etag: '"3"' })
  t.match(await ask(stack, 'PUT', name, { body: rule({ amount: 8 }), headers: ifMatch(1) }), { status: 412 })
  t.match(await ask(stack, 'GET', name), { body: { rule: { amount: 7 } } })
})

t.test('of fifty changes of one version exactly one is made', async (t) => {
  const name = '/quotas/contended'
  await ask(stack, 'PUT', name, { body: rule(), headers: toCreate })
  const before = changesOf(stack).length
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      ask(stack, 'PUT', name, {
        body: rule({ amount: 100 + index }),
        headers: ifMatch(1),
        token: stack.token({ roles: ['ops'], subject: `operator-${index % 5}` }),
      }),
    ),
  )
  const statuses = answers.map(({ status }) => status)
  t.equal(statuses.filter((status) => status === 200).length, 1)
  t.equal(statuses.filter((status) => status === 412).length, 49)
  const winner = answers.find(({ status }) => status === 200)
  t.same((await ask(stack, 'GET', name)).body, winner?.body)
  t.equal(changesOf(stack).length - before, 1, 'one record')
})

t.test('a patch is laid over what counts', async (t) => {
  const name = '/quotas/configured'
  const patched = await ask(stack, 'PATCH', name, {
    body: { amount: 5_000_000, mode: 'shadow' },
    headers: { ...ifMatch(0), 'content-type': 'application/merge-patch+json' },
  })
  t.match(patched, {
    status: 201,
    etag: '"1"',
    body: {
      source: 'operator',
      rule: { amount: 5_000_000, mode: 'shadow' },
      configured: { amount: 100_000 },
    },
  })
  const limited = { body: { where: { models: ['demo'] }, burst: 9 }, headers: ifMatch(1) }
  t.match(await ask(stack, 'PATCH', name, limited), { status: 200, body: { rule: { burst: 9 } } })
  const widened = await ask(stack, 'PATCH', name, {
    body: { where: null, burst: null },
    headers: ifMatch(2),
  })
  t.equal(widened.status, 200)
  t.notOk('burst' in (widened.body['rule'] as object))
  t.notOk('where' in (widened.body['rule'] as object))
  t.match(await ask(stack, 'PATCH', name, { body: { counts: null }, headers: ifMatch(3) }), { status: 400 })
  t.match(await ask(stack, 'PATCH', '/quotas/nothing', { body: {}, headers: ifMatch(0) }), { status: 404 })
  t.equal((await ask(stack, 'DELETE', name, { headers: ifMatch(3) })).status, 204)
  t.match(await ask(stack, 'GET', name), {
    etag: '"0"',
    body: { source: 'config', rule: { amount: 100_000 } },
  })
  t.match(await ask(stack, 'DELETE', name), { status: 400, code: 'set_in_configuration' })
})

t.test("the amounts of a role's limit can be changed, not what it is", async (t) => {
  const name = '/quotas/role.app.requests'
  const { body } = await ask(stack, 'GET', name)
  const configured = body['rule'] as object
  const changed = await ask(stack, 'PUT', name, {
    body: { ...configured, amount: 20_000, burst: 10_000 },
    headers: ifMatch(0),
  })
  t.match(changed, { status: 201, body: { source: 'operator' } })
  for (const [field, value] of Object.entries({
    counts: 'cost',
    per: 'hour',
    by: [],
    where: { roles: ['*'] },
  })) {
    const refused = await ask(stack, 'PATCH', name, { body: { [field]: value }, headers: ifMatch(1) })
    t.match(refused, { status: 400, code: 'invalid_value' }, field)
  }
  const foreign = await ask(stack, 'PUT', '/quotas/role.app.else', { body: rule(), headers: toCreate })
  t.match(foreign, { status: 400, param: 'name' })
  t.equal((await ask(stack, 'DELETE', name)).status, 204)
})

t.test('what cannot be a rule is refused by name of the field', async (t) => {
  const faults: [object, string][] = [
    [{ amount: 0 }, 'amount'],
    [{ amount: 1.5 }, 'amount'],
    [{ amount: 2e9 }, 'amount'],
    [{ amount: '5' }, 'amount'],
    [{ burst: -1 }, 'burst'],
    [{ per: 'day', burst: 3 }, 'burst'],
    [{ per: 'week' }, 'per'],
    [{ counts: 'in_flight' }, 'per'],
    [{ counts: 'cost' }, 'per'],
    [{ by: ['tenant', 'tenant'] }, 'by'],
    [{ by: ['planet'] }, 'by[0]'],
    [{ mode: 'off' }, 'mode'],
    [{ timeZone: 'Mars/Base' }, 'timeZone'],
    [{ where: { tenants: [] } }, 'where.tenants'],
    [{ extra: 1 }, 'extra'],
  ]
  for (const [changes, param] of faults) {
    const answer = await ask(stack, 'PUT', '/quotas/faulty', {
      body: rule(changes as never),
      headers: toCreate,
    })
    t.match(answer, { status: 400, param }, JSON.stringify(changes))
  }
  t.equal((await ask(stack, 'GET', '/quotas/faulty')).status, 404)
})
