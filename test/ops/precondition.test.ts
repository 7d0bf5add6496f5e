import fc from 'fast-check'
import t from 'tap'
import {
  demandPrecondition,
  etagOf,
  honorPrecondition,
  type Preconditions,
} from '../../src/ops/precondition.ts'
import { Refusal } from '../../src/refusal.ts'

const outcome = (check: typeof demandPrecondition, conditions: Preconditions, version: number): string => {
  try {
    check(conditions, version)
    return 'passes'
  } catch (error) {
    return error instanceof Refusal ? error.code : 'failure'
  }
}

t.test('passes exactly where the version is the one that was named', (t) => {
  const version = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.maxSafeInteger().map(Math.abs))
  fc.assert(
    fc.property(version, version, (named, there) => {
      const expected = named === there ? 'passes' : 'precondition_failed'
      return outcome(demandPrecondition, { ifMatch: etagOf(named) }, there) === expected
    }),
  )
  t.equal(outcome(demandPrecondition, {}, 0), 'precondition_required')
  t.equal(outcome(honorPrecondition, {}, 3), 'passes')
  t.equal(outcome(demandPrecondition, { ifNoneMatch: '*' }, 0), 'passes')
  t.equal(outcome(demandPrecondition, { ifNoneMatch: '*' }, 1), 'precondition_failed')
  t.equal(outcome(demandPrecondition, { ifNoneMatch: '*', ifMatch: '"1"' }, 1), 'precondition_failed')
  t.equal(outcome(demandPrecondition, { ifMatch: 'W/"1"' }, 1), 'precondition_failed', 'comparison is strong')
  t.end()
})

t.test('whatever else is sent never passes', (t) => {
  const other = fc.string().filter((text) => !/^\s*"(0|[1-9]\d*)"\s*$/.test(text))
  fc.assert(
    fc.property(other, fc.integer({ min: 0, max: 3 }), (ifMatch, version) =>
      ['invalid_value', 'precondition_failed'].includes(outcome(demandPrecondition, { ifMatch }, version)),
    ),
  )
  t.pass('no other text passes')
  t.end()
})
