import type { Principal } from '../../identity/principal.ts'
import { modelCard, modelList } from '../../openai/model-list.ts'
import type { Policy } from '../../policy/policy.ts'
import { Refusal } from '../../refusal.ts'
import type { Client } from '../arrival.ts'
import { jsonHead } from '../reply-head.ts'
import type { Trail } from '../trail.ts'

interface Catalog {
  readonly policy: Policy
  readonly startedAtSeconds: number
}

/** Answers GET /v1/models from the policy: what this caller may use, and nothing that a model server says of itself. */
export async function listModels(
  principal: Principal,
  { model }: { readonly model?: string },
  client: Client,
  trail: Trail,
  gateway: Catalog,
): Promise<void> {
  const names = gateway.policy.modelsFor(principal)
  if (model !== undefined && !names.includes(model))
    throw new Refusal('model_not_found', 'not visible', { param: 'model' })
  const created = gateway.startedAtSeconds
  const body = model === undefined ? modelList(names, created) : modelCard(model, created)
  trail.status = 200
  await client.send(jsonHead(200, trail, gateway), JSON.stringify(body))
}
