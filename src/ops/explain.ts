/**
 * What would become of a call: the same parts that the path uses, asked in the same order, and nothing is charged,
 * recorded or sent. Says codes and reasons; never a value that redaction found, never the token.
 */
import type { AdminValue } from '../config/schema/admin-api.ts'
import type { PeerCertificate, Principal } from '../identity/principal.ts'
import type { Call } from '../openai/call.ts'
import type { Permit } from '../policy/permit.ts'
import type { Policy } from '../policy/policy.ts'
import type { Asked, Plan } from '../quota/quota.ts'
import type { QuotaStore } from '../quota/store.ts'
import { Refusal } from '../refusal.ts'
import { fromStore } from './changes.ts'
import { explainedLimits } from './explained-limits.ts'
import { OpsFault } from './fault.ts'
import type { OpsView } from './view.ts'

export type ExplainRequest = AdminValue<'ExplainRequest'>
type InferenceEndpoint = Exclude<ExplainRequest['endpoint'], 'models'>

/** What redaction found in the sample. */
export interface SampleFound {
  readonly profile: string | null
  /** Null without a sample. */
  readonly blocked: boolean | null
  readonly findings: readonly { readonly entity: string; readonly action: string; readonly count: number }[]
}

/** One version of the gateway, as far as it is asked here. */
export interface ExplainParts {
  readonly policy: Policy
  readonly view: OpsView
  readonly quota: { plan(asked: Asked): Plan; readonly store: Pick<QuotaStore, 'peek' | 'health'> }
  readonly now: number
  /** Verifies a token over the operator's own connection. Throws a Refusal. */
  identify(token: string): Promise<Principal>
  /** A body of the inference API -> a call, as the path reads it. Throws a Refusal. */
  parse(endpoint: InferenceEndpoint, body: object): Call
  estimate(call: Call): number
  /** Throws a Refusal when the service that must be asked gives no answer. */
  screen(permit: Permit): Promise<Omit<SampleFound, 'profile' | 'blocked'> & { readonly blocked: boolean }>
}

interface Step {
  readonly step: string
  readonly outcome: 'pass' | 'refuse' | 'info'
  readonly detail: string
  readonly code: string | null
}

const noSample: SampleFound = { profile: null, blocked: null, findings: [] }

export async function explain(
  asked: ExplainRequest,
  operator: PeerCertificate,
  parts: ExplainParts,
): Promise<object> {
  checkRequest(asked)
  const explaining = new Explaining(asked, parts)
  await explaining.run(operator)
  return { ...explaining.answer, policy: parts.policy.hash }
}

function checkRequest({ token, claims, endpoint, model }: ExplainRequest): void {
  if ((token === undefined) === (claims === undefined))
    throw new OpsFault('missing_field', 'token', 'or claims must be given, one of the two')
  if (endpoint !== 'models' && model === undefined)
    throw new OpsFault('missing_field', 'model', 'is missing for this endpoint')
}

class Explaining {
  readonly #asked: ExplainRequest
  readonly #parts: ExplainParts
  readonly #trace: Step[] = []
  #limits: Awaited<ReturnType<typeof explainedLimits>> = []
  #redaction: SampleFound = noSample

  constructor(asked: ExplainRequest, parts: ExplainParts) {
    this.#asked = asked
    this.#parts = parts
  }

  get answer() {
    const allowed = !this.#trace.some(({ outcome }) => outcome === 'refuse')
    return { allowed, trace: this.#trace, limits: this.#limits, redaction: this.#redaction }
  }

  /** A refusal ends the trace, as it ends an exchange. */
  async run(operator: PeerCertificate): Promise<void> {
    const { policy, view, quota } = this.#parts
    const principal = await this.#step('identity', () => this.#who(operator), whoText)
    if (principal === undefined) return
    this.#info('roles', rolesText(principal, Object.keys(view.roles)))
    const { store } = quota
    if (!store.health.available) this.#info('store', 'is away: each limit goes on as its onStoreFailure says')
    const bound = await this.#step('binding', async () => {
      if (!principal.bound && policy.requiresBinding(principal))
        throw new Refusal('invalid_token', 'binding_required')
      return principal
    })
    if (bound === undefined) return
    const early = await this.#step('admission', async () => {
      const limits = view.limitsFor(principal)
      if (limits.length === 0) throw new Refusal('insufficient_scope', 'no known role')
      return limits
    })
    if (early === undefined) return
    const { endpoint } = this.#asked
    const isOpen = await this.#step('endpoint', async () => {
      policy.checkEndpoint(principal, endpoint)
      return true
    })
    if (isOpen === undefined) return
    const call = endpoint === 'models' ? undefined : await this.#call(principal, endpoint)
    if (endpoint !== 'models' && call === undefined) return
    await this.#limit(principal, call)
  }

  #who(operator: PeerCertificate): Promise<Principal> {
    const { token, claims } = this.#asked
    if (token !== undefined) return this.#parts.identify(token)
    return Promise.resolve(
      claimed(claims as NonNullable<ExplainRequest['claims']>, operator, this.#parts.now),
    )
  }

  /** Reading, authorizing and screening. */
  async #call(principal: Principal, endpoint: InferenceEndpoint): Promise<Permitted | undefined> {
    const { policy, parse, estimate, screen } = this.#parts
    const { sample, input_tokens } = this.#asked
    const call = await this.#step('call', async () => parse(endpoint, bodyOf(endpoint, this.#asked)))
    if (call === undefined) return undefined
    const permit = await this.#step(
      'policy',
      async () => policy.permit(principal, call),
      (granted) => `granted by ${granted.roles.join(', ')}; profile ${granted.redactionProfile}`,
    )
    if (permit === undefined) return undefined
    this.#redaction = { ...noSample, profile: permit.redactionProfile }
    if (sample !== undefined) {
      const screened = await this.#step('redaction', async () => {
        const found = await screen(permit)
        this.#redaction = { profile: permit.redactionProfile, ...found }
        if (found.blocked) throw new Refusal('content_blocked', 'the profile does not let the sample through')
        return found
      })
      if (screened === undefined) return undefined
    }
    return { call, permit, inputTokens: input_tokens ?? estimate(call) }
  }

  async #limit(principal: Principal, permitted: Permitted | undefined): Promise<void> {
    const { view, quota } = this.#parts
    const limits = permitted ? view.limitsFor(principal, permitted.permit.model) : view.limitsFor(principal)
    const plan = quota.plan({ limits, ...askedOf(permitted) })
    if (permitted !== undefined)
      this.#info('estimate', `${plan.inputTokens} input tokens, at most ${plan.outputTokens} output tokens`)
    const states = await fromStore(quota.store.peek(limits))
    this.#limits = explainedLimits(states, plan.demands, view)
    for (const { name, key, verdict, wait_ms } of this.#limits)
      this.#trace.push({
        step: `limit ${name}`,
        outcome: verdict === 'pass' ? 'pass' : verdict === 'shadow' ? 'info' : 'refuse',
        detail: `${key}: ${verdict === 'pass' ? 'has room' : waitText(wait_ms)}`,
        code: null,
      })
  }

  #info(step: string, detail: string): void {
    this.#trace.push({ step, outcome: 'info', detail, code: null })
  }

  /** Undefined when it was refused. */
  async #step<Result>(
    step: string,
    act: () => Promise<Result>,
    detailOf: (result: Result) => string = () => '',
  ): Promise<Result | undefined> {
    try {
      const result = await act()
      this.#trace.push({ step, outcome: 'pass', detail: detailOf(result), code: null })
      return result
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const field = error.param === undefined ? '' : `${error.param}: `
      this.#trace.push({ step, outcome: 'refuse', detail: `${field}${error.detail}`, code: error.code })
      return undefined
    }
  }
}

interface Permitted {
  readonly call: Call
  readonly permit: Permit
  readonly inputTokens: number
}

/** The same questions as `reserve` and `reserveRequest` of the path ask. */
const askedOf = (permitted: Permitted | undefined): Omit<Asked, 'limits'> => {
  if (permitted === undefined)
    return { model: '', inputTokens: 0, choices: 1, outputTokensMax: 0, bound: 'named' }
  const { call, permit, inputTokens } = permitted
  return {
    model: permit.model,
    inputTokens,
    choices: call.choices * call.prompts,
    outputTokensMax: permit.outputTokensMax,
    bound: call.outputTokensMax === undefined ? 'default' : 'named',
    price: permit.price,
  }
}

const waitText = (waitMs: number | null): string =>
  waitMs === null ? 'is smaller than the call, which will never pass' : `is full for ${waitMs} ms`

const whoText = ({ id, tenant }: Principal): string => `${id} of tenant ${tenant}`

function rolesText({ roles }: Principal, known: readonly string[]): string {
  const [here, unknown] = [
    roles.filter((role) => known.includes(role)),
    roles.filter((role) => !known.includes(role)),
  ]
  const rest = unknown.length === 0 ? '' : `; not known here: ${unknown.length}`
  return `${here.join(', ') || 'none that is known here'}${rest}`
}

/** Nobody verified anything: whoever it is, with a certificate and a bound token as the roles want it. */
const claimed = (
  { tenant, roles, principal = 'explain/anybody', scopes }: NonNullable<ExplainRequest['claims']>,
  certificate: PeerCertificate,
  now: number,
): Principal => ({
  id: principal,
  issuer: principal.split('/')[0] ?? '',
  subject: principal.slice(principal.indexOf('/') + 1),
  tenant,
  roles,
  tokenScopes: scopes,
  tokenId: undefined,
  expiresAt: now + 60_000,
  certificate,
  bound: true,
})

/** The smallest body that asks what is asked. */
function bodyOf(endpoint: InferenceEndpoint, { model, max_tokens, n, sample = '' }: ExplainRequest): object {
  const more = {
    ...(max_tokens === undefined ? {} : { max_tokens }),
    ...(n === undefined ? {} : { n }),
  }
  if (endpoint === 'chat.completions')
    return { model, messages: [{ role: 'user', content: sample }], ...more }
  return endpoint === 'completions' ? { model, prompt: sample, ...more } : { model, input: sample }
}
