import type { Call, Json, TextSlot } from '../../openai/call.ts'
import type { Permit } from '../../policy/permit.ts'
import { type InjectionCount, InjectionSignalCount } from '../../redaction/injection/signal-count.ts'
import type { ProfileRules } from '../parts.ts'

interface Parts {
  readonly redaction: { rulesFor(profile: string): Pick<ProfileRules, 'injection'> }
}

/**
 * Counts what in the call hints at prompt injection. It refuses nothing and changes nothing, so it comes before the
 * stage that does. Throws the reason of `signal` when that ends it.
 */
export async function detectInjection(
  { call, redactionProfile }: Permit,
  { redaction }: Parts,
  signal: AbortSignal,
): Promise<readonly InjectionCount[]> {
  if (redaction.rulesFor(redactionProfile).injection === 'off') return []
  const count = new InjectionSignalCount(signal)
  for (const slot of call.texts) if (!isInstruction(slot, call)) await count.add(slot.text)
  return count.counts
}

/** Roles whose messages the application writes itself: they may well say what attackers say. */
const instructing: readonly unknown[] = ['system', 'developer'] satisfies Json[]
const messagePath = /^messages\[(\d+)\]/

function isInstruction({ path }: TextSlot, { fields }: Call): boolean {
  const index = messagePath.exec(path)?.[1]
  const messages = fields['messages']
  if (index === undefined || !Array.isArray(messages)) return false
  const message = messages[Number(index)]
  return (
    typeof message === 'object' &&
    message !== null &&
    !Array.isArray(message) &&
    instructing.includes(message['role'])
  )
}
