import t from 'tap'
import { type Call, type Endpoint, endpoints } from '../../src/openai/call.ts'
import { createPolicy } from '../../src/policy/engine.ts'
import type { PolicyRules, RoleRules } from '../../src/policy/rules.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { simulatedCall, simulatedPrincipal } from './simulated-call.ts'

const role = (scopes: readonly string[], fields: Partial<RoleRules> = {}): RoleRules => ({
  scopes,
  parameters: {
    outputTokensMax: 100,
    choicesMax: 1,
    promptsMax: 4,
    inputsMax: 8,
    tools: 'none',
    responseFormats: ['text'],
  },
  limits: { requestsPerMinute: 60, inFlight: 4 },
  redaction: 'standard',
  binding: 'none',
  ...fields,
})

const models = ['llama-8b', 'llama-70b', 'org/embed', 'qwen']
const scopes: Record<string, { endpoints: readonly Endpoint[]; models: readonly string[] }> = {
  chat: { endpoints: ['chat.completions', 'models'], models: ['llama-*'] },
  big: { endpoints: ['completions'], models: ['*-70b'] },
  embed: { endpoints: ['embeddings'], models: ['org/embed'] },
  all: { endpoints, models: ['*'] },
  nothing: { endpoints: ['chat.completions'], models: ['later-*'] },
}

const rules = (roles: Record<string, RoleRules>): PolicyRules => ({
  policies: { unknownFields: 'refuse', scopes, roles },
  models: { models: Object.fromEntries(models.map((name) => [name, { outputTokensMax: 80 }])) },
  redaction: {
    profiles: {
      open: { prompt: { default: 'allow' }, reply: { default: 'allow' } },
      standard: { prompt: { default: 'mask' }, reply: { default: 'mask' } },
      cards: { prompt: { default: 'allow', entities: { CARD: 'block' } }, reply: { default: 'allow' } },
    },
  },
  hash: '0123456789abcdef',
})

function refusalOf(act: () => unknown): Refusal | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
const codeOf = (act: () => unknown): RefusalCode | undefined => refusalOf(act)?.code

/** What the rules say, written down a second time without any of the code under test. */
const covered: Record<string, Record<string, readonly string[]>> = {
  chat: { 'chat.completions': ['llama-8b', 'llama-70b'], models: ['llama-8b', 'llama-70b'] },
  big: { completions: ['llama-70b'] },
  embed: { embeddings: ['org/embed'] },
  all: { 'chat.completions': models, completions: models, embeddings: models, models },
  nothing: { 'chat.completions': [] },
}

const askedModels = [...models, 'unknown', 'constructor', '__proto__', '*', 'llama-']

for (const scope of Object.keys(scopes)) {
  t.test(`truth table: endpoint x model in scope ${scope}`, async (t) => {
    const policy = createPolicy(rules({ app: role([scope]) }))
    const principal = simulatedPrincipal(['app'])
    t.same(policy.modelsFor(principal), [...(covered[scope]?.['models'] ?? [])].sort())
    for (const endpoint of endpoints) {
      const granted = covered[scope]?.[endpoint]
      const expected = granted === undefined ? 'insufficient_scope' : undefined
      t.equal(
        codeOf(() => policy.checkEndpoint(principal, endpoint)),
        expected,
        endpoint,
      )
      if (endpoint === 'models') continue
      for (const model of askedModels) {
        const outcome = expected ?? (granted?.includes(model) ? undefined : 'model_not_found')
        const call = simulatedCall({ endpoint, model })
        t.equal(
          codeOf(() => policy.permit(principal, call)),
          outcome,
          `${endpoint} ${model}`,
        )
      }
    }
  })
}

t.test('an unknown and a forbidden model are answered alike', async (t) => {
  const policy = createPolicy(rules({ app: role(['chat']) }))
  const answer = (model: string) => {
    const refusal = refusalOf(() => policy.permit(simulatedPrincipal(['app']), simulatedCall({ model })))
    return {
      code: refusal?.code,
      param: refusal?.param,
      row: refusal?.row,
      retryAfterMs: refusal?.retryAfterMs,
    }
  }
  t.same(answer('qwen'), answer('no-such-model'))
  t.match(answer('qwen'), { code: 'model_not_found', param: 'model' })
})

t.test('roles that nobody knows count for nothing', async (t) => {
  const policy = createPolicy(rules({ app: role(['all']) }))
  for (const roles of [[], ['ghost'], ['App'], ['constructor', '__proto__'], ['']]) {
    const principal = simulatedPrincipal(roles)
    t.equal(
      codeOf(() => policy.permit(principal, simulatedCall())),
      'insufficient_scope',
      roles.join(),
    )
    t.same(policy.modelsFor(principal), [])
    t.equal(policy.requiresBinding(principal), false)
  }
  t.equal(
    codeOf(() => policy.permit(simulatedPrincipal(['ghost', 'app', 'app']), simulatedCall())),
    undefined,
  )
})

t.test('scopes of a token narrow, and never widen', async (t) => {
  const policy = createPolicy(rules({ app: role(['chat', 'embed']) }))
  const codes = (tokenScopes: readonly string[]) => {
    const principal = simulatedPrincipal(['app'], { tokenScopes })
    const embeddings = simulatedCall({ endpoint: 'embeddings', model: 'org/embed' })
    return [
      codeOf(() => policy.permit(principal, simulatedCall())),
      codeOf(() => policy.permit(principal, embeddings)),
    ]
  }
  t.same(codes(['chat', 'embed', 'openid']), [undefined, undefined])
  t.same(codes(['chat']), [undefined, 'insufficient_scope'])
  t.same(codes(['all']), ['insufficient_scope', 'insufficient_scope'], 'a scope that the role does not grant')
  t.same(codes([]), ['insufficient_scope', 'insufficient_scope'])
  t.same(policy.modelsFor(simulatedPrincipal(['app'], { tokenScopes: ['embed'] })), [])
})

t.test('what a permit carries', async (t) => {
  const policy = createPolicy(rules({ b: role(['chat']), a: role(['all']), c: role(['embed']) }))
  const principal = simulatedPrincipal(['b', 'c', 'a'])
  const call = simulatedCall({ outputTokensMax: 7 })
  const permit = policy.permit(principal, call)
  t.equal(permit.principal, principal)
  t.equal(permit.call, call)
  t.match(permit, { model: 'llama-8b', outputTokensMax: 7, redactionProfile: 'standard', roles: ['a', 'b'] })
  t.equal(policy.hash, '0123456789abcdef')
  t.equal(policy.unknownFields, 'refuse')
})

t.test('output bound: the caller’s own, else the cap; never above role or model', async (t) => {
  const parameters = { ...role([]).parameters, outputTokensMax: 50 }
  const policy = createPolicy(rules({ small: role(['all'], { parameters }), big: role(['big']) }))
  const bound = (roles: readonly string[], call: Partial<Call>) =>
    policy.permit(simulatedPrincipal(roles), simulatedCall(call)).outputTokensMax
  const completion = { endpoint: 'completions', model: 'llama-70b' } as const
  t.equal(bound(['small'], {}), 50, 'cap of the role')
  t.equal(bound(['small'], { outputTokensMax: 3 }), 3)
  t.equal(bound(['small', 'big'], completion), 80, 'cap of the model')
  t.equal(
    bound(['small', 'big'], { model: 'llama-70b' }),
    50,
    'a role that does not grant the call gives no cap',
  )
  t.equal(bound(['small'], { endpoint: 'embeddings', model: 'org/embed' }), 0)
  const above = () =>
    bound(['small', 'big'], { ...completion, outputTokensMax: 81, fields: { max_tokens: 81 } })
  t.match(refusalOf(above), { code: 'parameter_above_cap', param: 'max_tokens' })
})

t.test('redaction: the strictest of the roles that grant the call', async (t) => {
  const policy = createPolicy(
    rules({
      open: role(['all'], { redaction: 'open' }),
      cards: role(['chat'], { redaction: 'cards' }),
      masked: role(['embed'], { redaction: 'standard' }),
    }),
  )
  const profile = (roles: readonly string[], call: Partial<Call> = {}) =>
    policy.permit(simulatedPrincipal(roles), simulatedCall(call)).redactionProfile
  t.equal(profile(['open']), 'open')
  t.equal(profile(['open', 'cards']), 'cards')
  t.equal(
    profile(['open', 'cards', 'masked']),
    'cards',
    'a role that does not grant the call screens nothing',
  )
  t.equal(profile(['open', 'masked'], { endpoint: 'embeddings', model: 'org/embed' }), 'standard')
  const merged = createPolicy(rules({ a: role(['all'], { redaction: 'cards' }), b: role(['all']) }))
  t.equal(merged.permit(simulatedPrincipal(['b', 'a']), simulatedCall()).redactionProfile, 'cards+standard')
})

t.test('logprobs of one role do not show what another role screens', async (t) => {
  const parameters = { ...role([]).parameters, logprobsMax: 5 }
  const policy = createPolicy(
    rules({ open: role(['all'], { redaction: 'open', parameters }), app: role(['all']) }),
  )
  const ask = (roles: readonly string[]) =>
    refusalOf(() => policy.permit(simulatedPrincipal(roles), simulatedCall({ logprobs: 2 })))
  t.equal(ask(['open']), undefined)
  t.match(ask(['app']), { code: 'parameter_forbidden', param: 'logprobs' })
  t.match(ask(['open', 'app']), { code: 'logprobs_refused', param: 'logprobs' })
})

t.test('binding: one role that demands it is enough', async (t) => {
  const policy = createPolicy(rules({ app: role(['all']), admin: role(['embed'], { binding: 'required' }) }))
  t.equal(policy.requiresBinding(simulatedPrincipal(['app'])), false)
  t.equal(policy.requiresBinding(simulatedPrincipal(['app', 'admin'])), true)
})

t.test('references that lead nowhere are our own fault, at the start', async (t) => {
  t.throws(() => createPolicy(rules({ app: role(['none']) })), /no scope named none/)
  t.throws(() => createPolicy(rules({ app: role(['all'], { redaction: 'none' }) })), /no redaction profile/)
})
