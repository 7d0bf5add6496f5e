import t from 'tap'
import { checkBinding, readConfirmation } from '../../src/identity/binding.ts'
import { fingerprintA, fingerprintB, refusedAs } from './token-maker.ts'

t.test('without cnf a token is unbound, which an issuer may refuse', async (t) => {
  t.equal(readConfirmation(undefined, 'none'), undefined)
  t.throws(() => readConfirmation(undefined, 'mtls'), refusedAs('not_bound'))
})

t.test('only the certificate thumbprint is understood', async (t) => {
  t.equal(readConfirmation({ 'x5t#S256': fingerprintA }, 'none'), fingerprintA)
  const refused = [
    null,
    'x',
    [],
    {},
    { jkt: fingerprintA },
    { 'x5t#S256': fingerprintA, jkt: 'x' },
    { 'x5t#S256': '' },
    { 'x5t#S256': `${fingerprintA}=` },
    { 'x5t#S256': [fingerprintA] },
    { 'x5t#s256': fingerprintA },
  ]
  for (const cnf of refused) {
    t.throws(() => readConfirmation(cnf, 'none'), refusedAs('unsupported_confirmation'), JSON.stringify(cnf))
  }
})

t.test('a bound token needs its certificate', async (t) => {
  t.doesNotThrow(() => checkBinding(undefined, fingerprintB))
  t.doesNotThrow(() => checkBinding(fingerprintA, fingerprintA))
  for (const other of [fingerprintB, '', fingerprintA.slice(1), fingerprintA.toLowerCase()]) {
    t.throws(() => checkBinding(fingerprintA, other), refusedAs('wrong_certificate'))
  }
})
