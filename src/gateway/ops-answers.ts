/** Each operation of the admin API over the parts of the gateway: bodies are checked, and knowledge of src/ops is asked. */

import { adminJsonSchemas, checkAdminBody } from '../config/operator-shape.ts'
import { printPath } from '../config/problem.ts'
import type { AdminSchemaName, AdminValue } from '../config/schema/admin-api.ts'
import { PromptBlocked, screenPrompt } from '../exchange/inbound/screen-prompt.ts'
import type { Gateway } from '../exchange/parts.ts'
import type { Identity } from '../identity/identity.ts'
import { parseCall } from '../openai/parse.ts'
import { estimateCall } from '../openai/token-estimate.ts'
import { Changes, fromStore } from '../ops/changes.ts'
import { explain } from '../ops/explain.ts'
import { OpsFault } from '../ops/fault.ts'
import { openApiDocument } from '../ops/openapi.ts'
import type { OperationId } from '../ops/operations.ts'
import { Overrides } from '../ops/overrides.ts'
import { etagOf } from '../ops/precondition.ts'
import { Quotas, type Written } from '../ops/quotas.ts'
import { Usage } from '../ops/usage.ts'
import type { LimitRule } from '../policy/limit-rule.ts'
import type { Permit } from '../policy/permit.ts'
import type { FindingTally } from '../redaction/finding.ts'
import { Refusal } from '../refusal.ts'
import type { OpsAnswer, OpsCall } from './ops.ts'
import { documentShapes } from './ops-shapes.ts'
import { poolListOf } from './pool-list.ts'
import type { Foundation } from './version.ts'

export interface OpsAnswersParts {
  readonly foundation: Foundation
  readonly version: string
  readonly gateway: () => Gateway | undefined
  readonly identity: () => Identity | undefined
}

export function opsAnswers(
  parts: OpsAnswersParts,
): Readonly<Record<OperationId, (call: OpsCall) => Promise<OpsAnswer>>> {
  const { foundation, version } = parts
  const { clock, limits: view, quota, audit, throttled } = foundation
  const changes = new Changes({ audit, clock })
  const shared = { store: quota.store, changes, clock, shapes: documentShapes, view }
  const quotas = new Quotas({ ...shared, checkRule })
  const overrides = new Overrides(shared)
  const usage = new Usage({ store: quota.store, changes, throttled, view })
  const openApi = openApiDocument({ version, schemas: adminJsonSchemas() })
  return {
    listQuotas: async () => ok(quotas.list()),
    getQuota: async ({ parameter }) => {
      const found = await quotas.get(parameter)
      return { ...ok(found.quota), etag: etagOf(found.version) }
    },
    putQuota: async (call) =>
      written(await quotas.put(call.parameter, checkRule(call.body), call.preconditions, call)),
    patchQuota: async (call) =>
      written(await quotas.patch(call.parameter, checked('LimitPatch', call.body), call.preconditions, call)),
    deleteQuota: async (call) => {
      await quotas.delete(call.parameter, call.preconditions, call)
      return { status: 204 }
    },
    listOverrides: async () => ok(overrides.list()),
    createOverride: async (call) => ({
      status: 201,
      body: await overrides.create(checked('OverrideRequest', call.body), call),
    }),
    deleteOverride: async (call) => {
      await overrides.delete(call.parameter, call)
      return { status: 204 }
    },
    getUsage: async ({ query }) => ok(await usage.page(query)),
    resetBucket: async (call) => {
      const { key, reason } = checked('ResetRequest', call.body)
      return ok(await usage.reset(key, reason, call))
    },
    explain: async (call) => ok(await explained(call, parts)),
    getDecision: async ({ parameter }) => ok(await decisionOf(parameter, foundation)),
    listPools: async () => ok(poolListOf(parts.gateway()?.upstreams)),
    getOpenApi: async () => ok(openApi),
  }
}

const ok = (body: object): OpsAnswer => ({ status: 200, body })

const written = ({ quota, version, created }: Written): OpsAnswer => ({
  status: created ? 201 : 200,
  body: quota,
  etag: etagOf(version),
})

/** Throws OpsFault with the first thing that is wrong. */
function checked<Name extends AdminSchemaName>(name: Name, body: unknown): AdminValue<Name> {
  const result = checkAdminBody(name, body)
  if ('value' in result) return result.value
  const [first] = result.mistakes
  const message = first?.message ?? 'is wrong'
  throw new OpsFault('invalid_value', printPath(first?.path ?? []), message.replace(/\.$/, ''))
}

const checkRule = (input: unknown): LimitRule => checked('LimitRule', input) as LimitRule

async function decisionOf(requestId: string, { quota }: Foundation): Promise<object> {
  const text = await fromStore(quota.store.decisions.find(requestId))
  const decision = text === undefined ? undefined : checkAdminBody('Decision', parsed(text))
  // What another version of the gateway wrote, or nobody, is no decision to be shown.
  if (decision === undefined || 'mistakes' in decision) throw new Refusal('not_found', 'no such refusal')
  return decision.value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function explained({ body, principal, signal }: OpsCall, parts: OpsAnswersParts): Promise<object> {
  const { foundation } = parts
  const gateway = parts.gateway()
  const identity = parts.identity()
  if (gateway === undefined || identity === undefined) throw new Refusal('overloaded', 'not started')
  const { certificate } = principal
  return await explain(checked('ExplainRequest', body), certificate, {
    policy: gateway.policy,
    view: foundation.limits,
    quota: foundation.quota,
    now: foundation.clock.now(),
    identify: (token) => identity.authenticate(`Bearer ${token}`, certificate),
    parse: (endpoint, asked) =>
      parseCall(endpoint, Buffer.from(JSON.stringify(asked)), {
        unknownFields: gateway.policy.unknownFields,
        bounds: gateway.bounds.json,
      }),
    estimate: estimateCall,
    screen: (permit) => screened(permit, gateway, signal),
  })
}

async function screened(permit: Permit, gateway: Gateway, signal: AbortSignal) {
  try {
    const { found } = await screenPrompt(permit, gateway, signal)
    return { blocked: false, findings: countsOf(found.tallies) }
  } catch (error) {
    if (!(error instanceof PromptBlocked)) throw error
    return { blocked: true, findings: countsOf(error.found.tallies) }
  }
}

const countsOf = (tallies: readonly FindingTally[]) =>
  tallies.map(({ entity, action, count }) => ({ entity, action, count }))
