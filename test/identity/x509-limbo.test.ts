import t from 'tap'
import { eku, makeAuthority } from '../support/certificates.ts'
import { type LimboVerdict, limboCases, plainNodeVerdicts, runLimbo } from '../support/limbo.ts'
import { closed, type Deviation, looser, stricter } from './x509-limbo.deviations.ts'

const authority = await makeAuthority('limbo server root')
const server = await authority.issue({
  dnsNames: ['localhost'],
  eku: [eku.serverAuth],
  notBefore: new Date(0),
  notAfter: new Date('2049-01-01T00:00:00Z'),
})

const cases = limboCases()
const verdicts = new Map<string, LimboVerdict>()
for (const limbo of cases) verdicts.set(limbo.id, await runLimbo(limbo, server))

const accepted = (id: string): boolean => verdicts.get(id)?.verdict === 'accept'
const idsOf = (rows: readonly Deviation[]): string[] => rows.flatMap(({ ids }) => [...ids]).sort()
const disagreeing = (expected: 'SUCCESS' | 'FAILURE'): string[] =>
  cases
    .filter(
      ({ id, expected_result }) => expected_result === expected && accepted(id) !== (expected === 'SUCCESS'),
    )
    .map(({ id }) => id)
    .sort()

t.test('every chain has a verdict, and nearly all were run over TLS', async (t) => {
  t.equal(cases.length, 193)
  t.equal(verdicts.size, 193)
  t.notOk([...verdicts.values()].some(({ verdict }) => verdict === 'failure' || verdict === 'client'))
  t.equal([...verdicts.values()].filter(({ live }) => live).length, 158)
})

t.test('what limbo accepts and we refuse is written down', async (t) => {
  t.strictSame(disagreeing('SUCCESS'), idsOf(stricter))
})

t.test('what limbo refuses and we accept is written down', async (t) => {
  t.strictSame(disagreeing('FAILURE'), idsOf(looser))
})

t.test('what Node alone accepts and we refuse falls to a named rule', async (t) => {
  const nodeAccepts = plainNodeVerdicts().filter(([, , verdict]) => verdict === 'accept')
  const ours = nodeAccepts.filter(([id]) => !accepted(id)).map(([id]) => [id, verdicts.get(id)?.verdict])
  t.strictSame(Object.fromEntries(ours), closed)
})

t.test('nothing that Node alone refuses is accepted', async (t) => {
  const weaker = plainNodeVerdicts().filter(([id, , verdict]) => verdict === 'reject' && accepted(id))
  t.strictSame(weaker, [])
})
