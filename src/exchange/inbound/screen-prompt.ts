import type { Call } from '../../openai/call.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Finding, RuleSet } from '../../redaction/finding.ts'
import { Refusal } from '../../refusal.ts'

declare const evidence: unique symbol

/** Proof that every text of the call went through the prompt rules. Dispatch takes nothing else. */
export interface ScreenedCall {
  readonly call: Call
  readonly findings: readonly Finding[]
  readonly [evidence]: true
}

/** The profile does not let the prompt through. What was found until then still counts. */
export class PromptBlocked extends Refusal {
  readonly findings: readonly Finding[]

  constructor(entity: string, param: string, findings: readonly Finding[]) {
    super('content_blocked', entity, { param })
    this.findings = findings
  }
}

interface RuleSets {
  rulesFor(profile: string): { readonly prompt: RuleSet }
}

/** Scans each text of the call and puts the masked text in its place. Throws `content_blocked` when the profile says so. */
export function screenPrompt(permit: Permit, { redaction }: { readonly redaction: RuleSets }): ScreenedCall {
  const { call } = permit
  const { prompt } = redaction.rulesFor(permit.redactionProfile)
  const findings: Finding[] = []
  for (const slot of prompt.inert ? [] : call.texts) {
    const screening = slot.kind === 'json' ? prompt.screenJson(slot.text) : prompt.screen(slot.text)
    if (screening.findings.length > 0) findings.push(...screening.findings)
    if (screening.blocked) throw new PromptBlocked(screening.blocked.entity, slot.path, findings)
    if (screening.text !== slot.text) slot.replace(screening.text)
  }
  return { call, findings } as unknown as ScreenedCall
}
