// The revocation list shuts out tokens, people and certificates at once: requests are refused and streams that run end
// with an error event, while everybody else's go on.
import t from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import { callerOf, codeOf, HeldModel, linesOf, put, recordsOf } from '../support/flow.ts'
import { chatBody, openRaw, requestText } from '../support/raw-client.ts'
import { endOf, samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const stack = await startStack({ model: { script: held.script } })
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const revoke = (...revoked: readonly object[]): void =>
  put(stack, 'revocations.json', JSON.stringify({ revoked }))

let probes = 0

/** Changes the list and waits until that very list is in force: an earlier one may still be on its way. */
async function revokeNow(...revoked: readonly object[]): Promise<void> {
  const jti = `probe-${++probes}`
  revoke(...revoked, { jti })
  await until(async () => (await caller.chat({}, stack.token({ claims: { jti } }))).status === 401)
}

const applied = (): number => recordsOf(stack, 'config.reloaded').length

/** Changes the configuration and waits until it is in force. */
async function inForce(change: () => void): Promise<void> {
  const before = applied()
  change()
  await until(() => applied() > before)
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)
const other = await stack.clientCa.issue()
const cases = {
  'a token by its id': {
    entry: { jti: 'j-1' },
    token: () => stack.token({ claims: { jti: 'j-1' } }),
    reason: 'revoked_token',
  },
  'a token by its id and its issuer': {
    entry: { jti: 'j-1', issuer: 'test' },
    token: () => stack.token({ claims: { jti: 'j-1' } }),
    reason: 'revoked_token',
  },
  'a subject': {
    entry: { issuer: 'test', subject: 'bob' },
    token: () => stack.token({ subject: 'bob' }),
    reason: 'revoked_subject',
  },
  'the tokens of a subject from before a date': {
    entry: { issuer: 'test', subject: 'bob', issuedBefore: nowSeconds() + 60 },
    token: () => stack.token({ subject: 'bob' }),
    reason: 'revoked_subject',
  },
  'a certificate': {
    entry: { certificate: other.fingerprint256 },
    token: () => stack.token(),
    identity: other,
    reason: 'revoked_certificate',
  },
}

for (const [name, { entry, token, reason, ...rest }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    const revoked = callerOf(stack, 'identity' in rest ? rest.identity : stack.client)
    t.teardown(() => revoked.close())
    const [cut, kept] = await Promise.all([revoked.stream({}, token()), caller.stream()])
    const startedAt = Date.now()
    revoke(entry)
    t.equal(await cut.end, 'ended', 'the reply ends in order')
    t.ok(Date.now() - startedAt < 5_000)
    t.equal(endOf(cut.text()), 'token_revoked')
    const refused = await revoked.chat({}, token())
    t.equal(refused.status, 401)
    t.match(refused.headers.get('www-authenticate'), /^Bearer realm="sallyport", error="invalid_token"$/)
    t.equal(await codeOf(refused), 'token_revoked')
    await until(() => recordsOf(stack, 'exchange.ended').some((record) => record['reason'] === reason))
    t.equal((await caller.chat()).status, 200)
    held.release()
    t.equal(await kept.end, 'ended')
    t.equal(endOf(kept.text()), '[DONE]')
    await revokeNow()
    t.equal((await revoked.chat({}, token())).status, 200, 'taken from the list, it is good again')
  })
}

t.test('entries that are near but not it revoke nobody', async (t) => {
  await revokeNow(
    { jti: 'j-1', issuer: 'elsewhere' },
    { issuer: 'test', subject: 'alic' },
    { issuer: 'elsewhere', subject: 'alice' },
    { issuer: 'test', subject: 'alice', issuedBefore: nowSeconds() - 60 },
    { certificate: 'ab'.repeat(32) },
  )
  t.equal((await caller.chat({}, stack.token({ claims: { jti: 'j-1' } }))).status, 200)
})

t.test('what was cut is in the log and the audit record', async (t) => {
  const cuts = () =>
    recordsOf(stack, 'exchange.ended').filter(({ reason }) => reason === 'revoked while running')
  const before = cuts().length
  const stream = await caller.stream({}, stack.token({ claims: { jti: 'j-2' } }))
  await revokeNow({ jti: 'j-2' })
  await stream.end
  await until(() => cuts().length > before)
  t.match(cuts().at(-1), { outcome: 'refused', code: 'token_revoked' })
  // The stream, and a request of the probe where it was on its way.
  const line = linesOf(stack, 'revocations.reloaded').at(-1)
  t.equal(line?.['entries'], 2)
  t.ok([1, 2].includes(line?.['streams_cut'] as number))
})

t.test('a request whose body is still to come is refused where it stands', async (t) => {
  const connection = await openRaw(stack)
  t.teardown(() => connection.destroy())
  const text = requestText({ body: chatBody(), token: stack.token({ claims: { jti: 'j-5' } }) })
  connection.send(text.slice(0, -5))
  await until(async () => samplesOf(await stack.metrics()).get('sallyport_requests_in_flight') === 1)
  revoke({ jti: 'j-5' })
  const [reply] = await connection.answered(1)
  t.equal(reply?.status, 401)
  t.match(reply?.body, /token_revoked/)
})

t.test('a list that cannot be read leaves the old one in force and is logged by its place', async (t) => {
  await revokeNow({ jti: 'j-3' })
  const token = stack.token({ claims: { jti: 'j-3' } })
  t.equal((await caller.chat({}, token)).status, 401)
  const rejected = linesOf(stack, 'config.rejected').length
  for (const [index, text] of ['{"revoked":[', '{"revoked":[{"jit":"j-9"}]}', '{}', '[]'].entries()) {
    put(stack, 'revocations.json', text)
    await until(() => linesOf(stack, 'config.rejected').length === rejected + index + 1)
    t.equal((await caller.chat({}, token)).status, 401, text)
    t.equal((await caller.chat()).status, 200)
  }
  const problems = linesOf(stack, 'config.rejected').map((line) => String(line['problems']))
  t.match(problems.at(-3), /revocations\.json: entry 0: neither jti, subject nor certificate/)
  t.ok(linesOf(stack, 'revocations.rejected').length > 0)
  await revokeNow()
  t.equal((await caller.chat({}, token)).status, 200)
})

t.test('a configuration that is refused for something else does not hold a revocation up', async (t) => {
  const token = stack.token({ claims: { jti: 'j-4' } })
  const stream = await caller.stream({}, token)
  stack.configure('policies', { unknownFields: 'perhaps' })
  const rejected = linesOf(stack, 'config.rejected').length
  await until(() => linesOf(stack, 'config.rejected').length > rejected)
  revoke({ jti: 'j-4' })
  await stream.end
  t.equal(endOf(stream.text()), 'token_revoked')
  t.equal((await caller.chat({}, token)).status, 401)
  t.equal((await caller.chat()).status, 200)
  await inForce(() => stack.configure('policies', { unknownFields: 'refuse' }))
  t.equal((await caller.chat({}, token)).status, 401)
})

t.test('a refused configuration that names another list lets nobody in again', async (t) => {
  const token = stack.token({ claims: { jti: 'j-4' } })
  const rejected = linesOf(stack, 'config.rejected').length
  // Passes every check of the configuration; the authority without a list is found when it is to be applied.
  put(stack, 'tls/two-ca.crt', stack.clientCa.cert + (await makeAuthority('no list')).cert)
  stack.configure('gateway', {
    identity: { revocations: undefined },
    traffic: { tls: { clientCa: 'tls/two-ca.crt' } },
  })
  await until(() => linesOf(stack, 'config.rejected').length > rejected)
  t.equal((await caller.chat({}, token)).status, 401)
})
