import t from 'tap'
import type { Arrival } from '../../../src/exchange/arrival.ts'
import { authenticate } from '../../../src/exchange/inbound/authenticate.ts'
import { Refusal } from '../../../src/refusal.ts'
import { principal, refusalOf } from '../fake-parts.ts'

const peer = principal.certificate
const arrivalOf = (peerOf: () => typeof peer): Arrival => ({
  id: 'id',
  method: 'POST',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: [],
  body: (async function* () {})(),
  remoteAddress: undefined,
  fault: undefined,
  peer: peerOf,
  checkHost() {},
})
const rules = (bound: boolean, required: boolean, asked: unknown[] = []) => ({
  identity: {
    async authenticate(authorization: string | undefined, certificate: typeof peer) {
      asked.push(authorization, certificate)
      return { ...principal, bound }
    },
  },
  policy: { requiresBinding: () => required },
})

t.test('the token is verified together with the certificate of the connection', async (t) => {
  const asked: unknown[] = []
  const found = await authenticate(
    arrivalOf(() => peer),
    { authorization: 'Bearer x' },
    rules(false, false, asked),
  )
  t.equal(found.id, principal.id)
  t.same(asked, ['Bearer x', peer])
})

t.test('a role may ask for a token that is bound to the certificate', async (t) => {
  const verdict = (bound: boolean, required: boolean) =>
    refusalOf(() =>
      authenticate(
        arrivalOf(() => peer),
        { authorization: 'x' },
        rules(bound, required),
      ),
    )
  t.equal(await verdict(false, true), 'invalid_token binding_required')
  t.equal(await verdict(true, true), 'none')
  t.equal(await verdict(false, false), 'none')
})

t.test('a certificate that fell comes before any look at the token', async (t) => {
  const asked: unknown[] = []
  const fallen = arrivalOf(() => {
    throw new Refusal('certificate_expired', 'test')
  })
  t.match(
    await refusalOf(() => authenticate(fallen, { authorization: 'x' }, rules(true, true, asked))),
    'certificate_expired',
  )
  t.same(asked, [])
})
