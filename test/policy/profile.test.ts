import fc from 'fast-check'
import t from 'tap'
import { actionNames, categoryNames, injectionModes, presetNames } from '../../src/config/schema/redaction.ts'
import { categories, presets } from '../../src/policy/preset.ts'
import { type Kind, openProfile, type ProfileRules, tiers } from '../../src/policy/profile.ts'
import { Profiles } from '../../src/policy/profiles.ts'
import { actionsByStrictness, strictnessOf } from '../../src/policy/strictness.ts'
import type { Action } from '../../src/redaction/finding.ts'

const email = { entity: 'EMAIL', category: 'contact', tier: 1 } as const
const guess = { entity: 'PASSPORT', category: 'identity', tier: 3 } as const
const person = { entity: 'PERSON', category: 'name', tier: 2 } as const
const key = { entity: 'API_KEY', category: 'secret', tier: 1 } as const
const card = { entity: 'CARD', category: 'payment', tier: 1 } as const

const inPrompt = (rules: ProfileRules, kind: Kind): Action => openProfile('p', rules).actionOf('prompt', kind)
const both = (otherwise: Action, entities: Record<string, Action> = {}): ProfileRules => ({
  prompt: { default: otherwise, entities },
  reply: { default: otherwise },
})

t.test('the lists of the configuration are the policy\u2019s', (t) => {
  t.same(actionNames, actionsByStrictness)
  t.same(categoryNames, categories)
  t.same(presetNames, Object.keys(presets))
  t.end()
})

t.test('presets, by what they select', (t) => {
  const table: Record<string, readonly Action[]> = {
    //         email   guess    person   key      card
    standard: ['mask', 'allow', 'allow', 'mask', 'mask'],
    secrets: ['allow', 'allow', 'allow', 'mask', 'allow'],
    pii: ['mask', 'allow', 'mask', 'allow', 'mask'],
    pci: ['allow', 'allow', 'allow', 'allow', 'mask'],
    phi: ['mask', 'mask', 'mask', 'allow', 'mask'],
    strict: ['mask', 'mask', 'mask', 'mask', 'mask'],
  }
  t.same(Object.keys(table), Object.keys(presets))
  for (const [preset, expected] of Object.entries(table)) {
    const rules = { preset } as ProfileRules
    t.same(
      [email, guess, person, key, card].map((kind) => inPrompt(rules, kind)),
      expected,
      preset,
    )
  }
  t.same(inPrompt({}, email), inPrompt({ preset: 'standard' }, email), 'standard is the one without a name')
  t.end()
})

t.test('the most specific rule counts', (t) => {
  const prompt = {
    default: 'hash',
    categories: { contact: 'partial' },
    entities: { EMAIL: 'block' },
  } as const
  t.equal(inPrompt({ prompt }, email), 'block')
  t.equal(inPrompt({ prompt }, { ...email, entity: 'PHONE' }), 'partial')
  t.equal(inPrompt({ prompt }, card), 'hash')
  t.equal(inPrompt({ prompt }, person), 'allow', 'the default is for what the preset selects')
  t.equal(inPrompt({ prompt: { categories: { name: 'mask' } } }, person), 'mask')
  t.equal(
    inPrompt({ preset: 'secrets', prompt: { default: 'block', entities: { CARD: 'mask' } } }, card),
    'mask',
  )
  t.equal(inPrompt({ preset: 'pci', prompt: { entities: {} } }, { ...email, entity: 'toString' }), 'allow')
  t.end()
})

t.test('tiers: up to the profile\u2019s, or the ones that are named', (t) => {
  const named = (setting: NonNullable<ProfileRules['prompt']>['default']) => ({
    prompt: { default: setting },
  })
  t.equal(inPrompt(named('block'), guess), 'allow')
  t.equal(inPrompt({ ...named('block'), tierMax: 3 }, guess), 'block')
  t.equal(inPrompt({ tierMax: 1 }, { ...email, tier: 2 }), 'allow')
  t.equal(inPrompt(named({ 1: 'block', 3: 'shadow' }), guess), 'shadow')
  t.equal(
    inPrompt(named({ 1: 'block', 3: 'shadow' }), { ...email, tier: 2 }),
    'mask',
    'what is left out is masked',
  )
  t.equal(inPrompt({ prompt: { entities: { PASSPORT: 'block' } } }, guess), 'allow', 'a guess stays a guess')
  t.equal(inPrompt({ prompt: { entities: { PASSPORT: { 3: 'block' } } } }, guess), 'block')
  t.equal(inPrompt({ prompt: { entities: { EMAIL: { 2: 'block' } } } }, email), 'mask')
  t.end()
})

const profiles = new Profiles({
  open: both('allow'),
  standard: both('mask'),
  'standard-2': both('mask'),
  strict: both('mask', { US_SSN: 'block' }),
  cards: both('mask', { CREDIT_CARD: 'block', EMAIL: 'allow' }),
  lenient: both('mask', { EMAIL: 'allow' }),
  shadow: both('shadow'),
  listed: { ...both('mask'), denied: [{ label: 'FALCON', action: 'block', values: ['falcon'] }] },
  trusting: { ...both('mask'), allowed: ['A@b.c', 'x@y.z'] },
  'trusting-less': { ...both('mask'), allowed: ['a@b.c'], scoreMin: 0.3 },
  uncounted: { ...both('mask'), injection: 'off' },
  'uncounted-strict': { ...both('mask', { US_SSN: 'block' }), injection: 'off' },
  tools: { ...both('mask'), restore: { replies: true, tools: ['*_mail'] } },
  'tools-less': { ...both('mask'), restore: { replies: false, tools: ['send_mail'] } },
})

t.test('names', (t) => {
  const merged = (...names: string[]) => profiles.mergedName(names)
  t.equal(merged('standard'), 'standard')
  t.equal(merged('standard', 'open', 'standard'), 'standard', 'the stricter covers the other')
  t.equal(merged('strict', 'standard', 'open'), 'strict')
  t.equal(merged('standard-2', 'standard'), 'standard', 'equals: the first by name')
  t.equal(merged('strict', 'cards'), 'cards+strict', 'neither covers the other')
  t.equal(merged('standard', 'uncounted'), 'standard')
  t.equal(merged('standard', 'uncounted-strict'), 'standard+uncounted-strict', 'one counts, one is stricter')
  t.equal(merged('cards', 'strict', 'lenient', 'open'), 'cards+strict')
  t.equal(merged('shadow', 'open'), 'shadow')
  t.equal(merged('listed', 'standard'), 'listed', 'a deny list more is stricter')
  t.equal(merged('listed', 'strict'), 'listed+strict')
  t.equal(merged('trusting', 'standard'), 'standard')
  t.equal(merged('trusting', 'trusting-less'), 'trusting-less')
  t.equal(merged('tools', 'tools-less'), 'tools-less')
  t.throws(() => merged('open', 'none'), /no redaction profile/)
  t.throws(() => merged('open', 'constructor'), /no redaction profile/)
  t.throws(() => profiles.named('cards+'), /no redaction profile/)
  t.end()
})

t.test('of several profiles, the strictest in everything', (t) => {
  const mixed = profiles.named('listed+tools+tools-less+trusting+trusting-less')
  const [list] = mixed.denied
  t.equal(list && mixed.denyActionOf(list), 'block')
  t.equal(profiles.named('standard').denyActionOf(list as never), 'allow', 'another profile\u2019s list')
  t.same([...profiles.named('trusting+trusting-less').allowed], ['a@b.c'])
  t.same([...mixed.allowed], [], 'allowed only by all')
  t.equal(mixed.scoreMin, 0.3)
  t.equal(profiles.named('tools').restores({ tool: 'read_mail' }), true)
  t.equal(profiles.named('tools+tools-less').restores({ tool: 'send_mail' }), true)
  t.equal(profiles.named('tools+tools-less').restores({ tool: 'read_mail' }), false)
  t.equal(profiles.named('tools+tools-less').restores('reply'), false)
  t.end()
})

t.test('hints at prompt injection are counted, unless all profiles say off', (t) => {
  t.strictSame(injectionModes, ['off', 'signal'])
  const modes = ['standard', 'uncounted', 'uncounted+uncounted-strict', 'standard+uncounted-strict'].map(
    (name) => profiles.named(name).injection,
  )
  t.strictSame(modes, ['signal', 'off', 'off', 'signal'])
  t.end()
})

t.test('replies that pass', (t) => {
  const passes = (rules: ProfileRules): boolean => openProfile('p', rules).passesReplies
  t.equal(passes(both('allow')), true)
  t.equal(passes({ ...both('mask'), reply: { default: 'allow' } }), true)
  t.equal(passes(both('mask')), false)
  t.equal(passes({}), false)
  t.equal(passes({ ...both('allow'), reply: { default: 'allow', entities: { EMAIL: 'block' } } }), false)
  t.equal(passes({ ...both('allow'), reply: { default: 'allow', categories: { name: 'shadow' } } }), false)
  t.equal(passes({ ...both('allow'), denied: [{ label: 'X', action: 'mask', values: ['x'] }] }), false)
  t.equal(
    passes({ ...both('allow'), prompt: { default: 'pseudonymize' } }),
    false,
    'pseudonyms are turned back',
  )
  t.equal(profiles.named('open+shadow').passesReplies, false)
  t.end()
})

const action = fc.constantFrom<Action>(...actionsByStrictness)
const setting = fc.oneof(
  action,
  fc.record({ 1: action, 3: action }, { requiredKeys: [], noNullPrototype: true }),
)
const direction = fc.record(
  {
    default: setting,
    categories: fc.dictionary(fc.constantFrom('secret', 'name'), setting, {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    entities: fc.dictionary(fc.constantFrom('A', 'B', 'C'), setting, { maxKeys: 3, noNullPrototype: true }),
  },
  { requiredKeys: [] },
)
const rules: fc.Arbitrary<ProfileRules> = fc.record(
  {
    preset: fc.constantFrom('standard', 'secrets', 'strict'),
    tierMax: fc.constantFrom(1, 2, 3),
    prompt: direction,
    reply: direction,
  },
  { requiredKeys: [] },
)
const kinds = ['A', 'B', 'C', 'OTHER'].flatMap((entity) =>
  (['secret', 'name', 'contact'] as const).flatMap((category) =>
    tiers.map((tier): Kind => ({ entity, category, tier })),
  ),
)
const someRules = fc
  .array(rules, { minLength: 1, maxLength: 4 })
  .map((all) => Object.fromEntries(all.map((each, index) => [`p${index}`, each])))

t.test('property: a merge is exactly as strict as the strictest, for each kind', (t) => {
  fc.assert(
    fc.property(someRules, (all) => {
      const opened = new Profiles(all)
      const names = Object.keys(all)
      const merged = opened.named(opened.mergedName(names))
      return (['prompt', 'reply'] as const).every((way) =>
        kinds.every((kind) => {
          const strictest = Math.max(
            ...names.map((name) => strictnessOf(opened.named(name).actionOf(way, kind))),
          )
          return strictnessOf(merged.actionOf(way, kind)) === strictest
        }),
      )
    }),
    { numRuns: 200 },
  )
  t.pass()
  t.end()
})

t.test('property: the name does not depend on the order of the roles', (t) => {
  fc.assert(
    fc.property(someRules, (all) => {
      const names = Object.keys(all)
      return new Profiles(all).mergedName(names) === new Profiles(all).mergedName(names.toReversed())
    }),
    { numRuns: 200 },
  )
  t.pass()
  t.end()
})
