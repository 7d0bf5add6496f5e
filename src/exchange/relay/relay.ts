import { openReplies } from '../../openai/reply-dialect.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Client } from '../arrival.ts'
import type { ScreenedCall } from '../inbound/screen-prompt.ts'
import type { HeldAnswer } from '../outbound/attempt.ts'
import type { Gateway } from '../parts.ts'
import type { Trail } from '../trail.ts'
import type { RelayJob } from './job.ts'
import { Meter } from './meter.ts'
import { relayStream } from './relay-stream.ts'
import { relayWhole } from './relay-whole.ts'

/** Answer -> the caller, screened and metered. Whatever the ending, the trail holds what was relayed until then. */
export async function relay(
  answer: HeldAnswer,
  { replacement }: Pick<ScreenedCall, 'replacement'>,
  permit: Permit,
  client: Client,
  trail: Trail,
  gateway: Gateway,
  signal: AbortSignal,
): Promise<void> {
  const { call } = permit
  const reserved = trail.reservation ?? { inputTokens: 0, outputTokens: 0 }
  const meter = new Meter(call, reserved, gateway.clock, trail.target?.server, trail.turn)
  const { reply: rules, restores } = gateway.redaction.rulesFor(permit.redactionProfile)
  const dialect = openReplies(call.endpoint, {
    logprobs: rules.inert && call.logprobs !== undefined,
    jsonContent: call.responseFormat === 'json_object' || call.responseFormat === 'json_schema',
    exchangeId: trail.id,
    createdAtSeconds: Math.floor(gateway.clock.now() / 1000),
    choicesMax: call.choices * call.prompts,
  })
  const job: RelayJob = {
    answer,
    call,
    model: permit.model,
    client,
    trail,
    gateway,
    signal,
    meter,
    rules,
    dialect,
    replacement,
    restores,
  }
  try {
    await (call.stream ? relayStream(job) : relayWhole(job))
  } catch (error) {
    // The place is given back before the exchange knows how it ended.
    answer.failed(error)
    throw error
  }
}
