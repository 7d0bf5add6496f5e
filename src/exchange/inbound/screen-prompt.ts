import type { Call } from '../../openai/call.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Found, RuleSet } from '../../redaction/finding.ts'
import { FoundList } from '../../redaction/found.ts'
import { PacedScreening } from '../../redaction/paced-screening.ts'
import { Refusal } from '../../refusal.ts'

declare const evidence: unique symbol

/** Proof that every text of the call went through the prompt rules. Dispatch takes nothing else. */
export interface ScreenedCall {
  readonly call: Call
  readonly found: Found
  readonly [evidence]: true
}

/** The profile does not let the prompt through. What was found until then still counts. */
export class PromptBlocked extends Refusal {
  readonly found: Found

  constructor(entity: string, param: string, found: Found) {
    super('content_blocked', entity, { param })
    this.found = found
  }
}

interface RuleSets {
  rulesFor(profile: string): { readonly prompt: RuleSet }
}

/**
 * Scans each text of the call and puts the masked text in its place. Throws `content_blocked` when the profile says
 * so, and the reason of `signal` when that ends it.
 */
export async function screenPrompt(
  permit: Permit,
  { redaction }: { readonly redaction: RuleSets },
  signal: AbortSignal,
): Promise<ScreenedCall> {
  const { call } = permit
  const { prompt } = redaction.rulesFor(permit.redactionProfile)
  const found = new FoundList()
  const paced = new PacedScreening(prompt, signal)
  for (const slot of prompt.inert ? [] : call.texts) {
    const screening = await paced.screen(slot)
    found.addAll(screening)
    if (screening.blocked) throw new PromptBlocked(screening.blocked.entity, slot.path, found)
    if (screening.text !== slot.text) slot.replace(screening.text)
  }
  return { call, found } as unknown as ScreenedCall
}
