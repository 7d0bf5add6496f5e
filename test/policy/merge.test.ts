import fc from 'fast-check'
import t from 'tap'
import type { Principal } from '../../src/identity/principal.ts'
import { type Call, endpoints } from '../../src/openai/call.ts'
import { createPolicy } from '../../src/policy/engine.ts'
import { LimitBook } from '../../src/policy/limit-book.ts'
import type { Permit } from '../../src/policy/permit.ts'
import { Profiles } from '../../src/policy/profiles.ts'
import type { PolicyRules, RoleRules } from '../../src/policy/rules.ts'
import { actionsByStrictness, strictnessOf } from '../../src/policy/strictness.ts'
import type { Action } from '../../src/redaction/finding.ts'
import { Refusal } from '../../src/refusal.ts'
import { simulatedCall, simulatedPrincipal } from './simulated-call.ts'

const roleNames = ['a', 'b', 'c', 'd']
const scopeNames = ['s0', 's1', 's2']
const profileNames = ['p0', 'p1', 'p2']
const models = ['m1', 'm2', 'n1']
const entities = ['CARD', 'EMAIL', 'OTHER']

const action = fc.constantFrom<Action>(...actionsByStrictness)
const direction = fc.record({
  default: action,
  entities: fc.dictionary(fc.constantFrom('CARD', 'EMAIL'), action, { maxKeys: 2, noNullPrototype: true }),
})
const some = <Item>(items: readonly Item[]) => fc.subarray([...items], { minLength: 1 })
const role: fc.Arbitrary<RoleRules> = fc.record({
  scopes: some(scopeNames),
  parameters: fc.record({
    outputTokensMax: fc.integer({ min: 1, max: 9 }),
    choicesMax: fc.integer({ min: 1, max: 3 }),
    promptsMax: fc.integer({ min: 1, max: 3 }),
    inputsMax: fc.integer({ min: 1, max: 3 }),
    logprobsMax: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    tools: fc.oneof(fc.constant('none' as const), some(['f*', 'g', '*x'])),
    responseFormats: fc.subarray(['text', 'json_object']),
  }),
  limits: fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 100 }),
    burst: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    inFlight: fc.integer({ min: 1, max: 9 }),
  }),
  redaction: fc.constantFrom(...profileNames),
  binding: fc.constantFrom('none' as const, 'required' as const),
})
const named = <Value>(
  names: readonly string[],
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<Record<string, Value>> =>
  fc
    .tuple(...names.map(() => value))
    .map((values) => Object.fromEntries(names.map((name, i) => [name, values[i] as Value])))

const policyRules: fc.Arbitrary<PolicyRules> = fc.record({
  policies: fc.record({
    unknownFields: fc.constant('refuse' as const),
    scopes: named(
      scopeNames,
      fc.record({ endpoints: some(endpoints), models: some(['*', 'm*', 'm1', 'n1', '*2']) }),
    ),
    roles: named(roleNames, role),
  }),
  models: fc.constant({ models: Object.fromEntries(models.map((name) => [name, { outputTokensMax: 7 }])) }),
  redaction: fc.record({ profiles: named(profileNames, fc.record({ prompt: direction, reply: direction })) }),
  hash: fc.constant('0'),
})
const call: fc.Arbitrary<Call> = fc
  .record({
    endpoint: fc.constantFrom('chat.completions' as const, 'completions' as const, 'embeddings' as const),
    model: fc.constantFrom(...models, 'unknown'),
    choices: fc.integer({ min: 1, max: 3 }),
    outputTokensMax: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    logprobs: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 3 }),
    tools: fc.subarray(['f1', 'g', 'hx']),
    responseFormat: fc.option(fc.constantFrom('text', 'json_object'), { nil: undefined }),
  })
  .map(simulatedCall)
const tokenScopes = fc.option(fc.subarray(scopeNames), { nil: undefined })

type Outcome = Permit | Refusal
const outcomeOf = (act: () => Permit): Outcome => {
  try {
    return act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Runs a law over the same caller before and after it is given one role more. */
const law = (hold: (before: Seen, after: Seen) => boolean): void =>
  fc.assert(
    fc.property(policyRules, call, tokenScopes, some(roleNames), (rules, asked, scopes, roles) => {
      const policy = createPolicy(rules)
      const seen = (names: readonly string[]): Seen => {
        const principal = simulatedPrincipal(names, { tokenScopes: scopes })
        return { policy, rules, principal, outcome: outcomeOf(() => policy.permit(principal, asked)) }
      }
      return hold(seen(roles.slice(1)), seen(roles))
    }),
    { numRuns: 400 },
  )

interface Seen {
  readonly policy: ReturnType<typeof createPolicy>
  readonly rules: PolicyRules
  readonly principal: ReturnType<typeof simulatedPrincipal>
  readonly outcome: Outcome
}

t.test('a role more never takes access away (except logprobs, where redaction wins)', async (t) => {
  law(({ outcome: before, ...a }, { outcome: after, ...b }) => {
    const visible = a.policy.modelsFor(a.principal)
    if (!visible.every((model) => b.policy.modelsFor(b.principal).includes(model))) return false
    if (before instanceof Refusal || !(after instanceof Refusal)) return true
    return after.code === 'logprobs_refused' && before.call.logprobs !== undefined
  })
  t.pass()
})

t.test('a role more never loosens redaction', async (t) => {
  law(({ outcome: before, rules }, { outcome: after }) => {
    if (before instanceof Refusal || after instanceof Refusal) return true
    const profiles = new Profiles(rules.redaction.profiles)
    const [a, b] = [before, after].map((permit) => profiles.named(permit.redactionProfile))
    return (['prompt', 'reply'] as const).every((way) =>
      entities.every((entity) => {
        const kind = { entity, category: 'contact', tier: 1 } as const
        return a && b && strictnessOf(b.actionOf(way, kind)) >= strictnessOf(a.actionOf(way, kind))
      }),
    )
  })
  t.pass()
})

const limitsOf = ({ rules, principal }: { readonly rules: PolicyRules; readonly principal: Principal }) =>
  new LimitBook({
    roles: Object.fromEntries(
      Object.entries(rules.policies.roles).map(([name, { limits }]) => [name, limits]),
    ),
    limits: {},
  }).limitsFor(principal)

t.test('a role more never lowers a limit or a cap, and never lifts a demand for binding', async (t) => {
  law(({ outcome: before, ...a }, { outcome: after, ...b }) => {
    const limits = limitsOf(b)
    const raised = limitsOf(a).every(({ counts, amount, burst }) =>
      limits.some((limit) => limit.counts === counts && limit.amount >= amount && limit.burst >= burst),
    )
    const bound = !a.policy.requiresBinding(a.principal) || b.policy.requiresBinding(b.principal)
    if (before instanceof Refusal || after instanceof Refusal) return raised && bound
    return raised && bound && after.outputTokensMax >= before.outputTokensMax
  })
  t.pass()
})

t.test(
  'no permit shows logprobs of a reply that is screened, or more output than the model has',
  async (t) => {
    law((_, { outcome, rules }) => {
      if (outcome instanceof Refusal) return true
      const profile = new Profiles(rules.redaction.profiles).named(outcome.redactionProfile)
      return outcome.outputTokensMax <= 7 && (outcome.call.logprobs === undefined || profile.passesReplies)
    })
    t.pass()
  },
)

t.test('the order of the roles in a token changes nothing', async (t) => {
  law((_, { policy, principal, outcome, rules }) => {
    const turned = { ...principal, roles: principal.roles.toReversed() }
    const again = outcomeOf(() =>
      policy.permit(turned, outcome instanceof Refusal ? simulatedCall() : outcome.call),
    )
    const limits = [turned, principal].map((caller) => JSON.stringify(limitsOf({ rules, principal: caller })))
    if (limits[0] !== limits[1]) return false
    if (outcome instanceof Refusal) return true
    return (
      !(again instanceof Refusal) &&
      again.redactionProfile === outcome.redactionProfile &&
      again.roles.join() === outcome.roles.join()
    )
  })
  t.pass()
})
