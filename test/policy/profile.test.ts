import fc from 'fast-check'
import t from 'tap'
import {
  actionFor,
  mergedName,
  mergeProfiles,
  type ProfileAction,
  type ProfileRules,
  passesReplies,
} from '../../src/policy/profile.ts'

const both = (otherwise: ProfileAction, entities: Record<string, ProfileAction> = {}): ProfileRules => ({
  prompt: { default: otherwise, entities },
  reply: { default: otherwise },
})

const profiles = {
  open: both('allow'),
  standard: both('mask'),
  'standard-2': both('mask'),
  strict: both('mask', { US_SSN: 'block' }),
  cards: both('mask', { CREDIT_CARD: 'block', EMAIL: 'allow' }),
  lenient: both('mask', { EMAIL: 'allow' }),
}

t.test('names', async (t) => {
  t.equal(mergedName(profiles, ['standard']), 'standard')
  t.equal(mergedName(profiles, ['standard', 'open', 'standard']), 'standard', 'the stricter covers the other')
  t.equal(mergedName(profiles, ['strict', 'standard', 'open']), 'strict')
  t.equal(mergedName(profiles, ['standard-2', 'standard']), 'standard', 'equals: the first by name')
  t.equal(mergedName(profiles, ['strict', 'cards']), 'cards+strict', 'neither covers the other')
  t.equal(mergedName(profiles, ['cards', 'strict', 'lenient', 'open']), 'cards+strict')
  t.throws(() => mergedName(profiles, ['open', 'none']), /no redaction profile/)
  t.throws(() => mergedName(profiles, ['open', 'constructor']), /no redaction profile/)
})

t.test('merged rules: block before mask before allow', async (t) => {
  t.same(mergeProfiles(profiles, 'standard'), profiles.standard)
  t.match(mergeProfiles(profiles, 'cards+strict'), {
    prompt: { default: 'mask', entities: { US_SSN: 'block', CREDIT_CARD: 'block', EMAIL: 'mask' } },
    reply: { default: 'mask' },
  })
  t.throws(() => mergeProfiles(profiles, 'cards+'), /no redaction profile/)
})

t.test('replies that nothing is done to', async (t) => {
  t.equal(passesReplies(both('allow')), true)
  t.equal(passesReplies(both('mask')), false)
  const reply = (entities: Record<string, ProfileAction>) => ({
    ...both('allow'),
    reply: { default: 'allow' as const, entities },
  })
  t.equal(passesReplies(reply({ EMAIL: 'allow' })), true)
  t.equal(passesReplies(reply({ EMAIL: 'block' })), false)
})

const rank = { allow: 0, mask: 1, block: 2 }
const action = fc.constantFrom<ProfileAction>('allow', 'mask', 'block')
const direction = fc.record({
  default: action,
  entities: fc.dictionary(fc.constantFrom('A', 'B', 'C'), action, { maxKeys: 3, noNullPrototype: true }),
})
const profile = fc.record({ prompt: direction, reply: direction })

t.test('property: a merge is exactly as strict as the strictest, for each entity', async (t) => {
  fc.assert(
    fc.property(fc.array(profile, { minLength: 1, maxLength: 4 }), (all) => {
      const named = Object.fromEntries(all.map((each, i) => [`p${i}`, each]))
      const merged = mergeProfiles(named, mergedName(named, Object.keys(named)))
      return (['prompt', 'reply'] as const).every((way) =>
        ['A', 'B', 'C', 'other'].every((entity) => {
          const strictest = Math.max(...all.map((each) => rank[actionFor(each[way], entity)]))
          return rank[actionFor(merged[way], entity)] === strictest
        }),
      )
    }),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('property: the name does not depend on the order of the roles', async (t) => {
  fc.assert(
    fc.property(fc.array(profile, { minLength: 1, maxLength: 4 }), (all) => {
      const named = Object.fromEntries(all.map((each, i) => [`p${i}`, each]))
      const names = Object.keys(named)
      return mergedName(named, names) === mergedName(named, names.toReversed())
    }),
    { numRuns: 200 },
  )
  t.pass()
})
