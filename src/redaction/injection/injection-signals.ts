import { encodedSignals } from './encoded-payload.ts'
import { exfiltrationSignals } from './exfiltration-links.ts'
import { hiddenTextSignals } from './hidden-text.ts'
import { phrasingSignals } from './phrasing.ts'
import type { InjectionSignal } from './signal.ts'
import { templateSignals } from './template-tokens.ts'

/** Signals of one kind that are kept: enough to count, and no text makes the list long. */
export const signalsMax = 16

const plainSignals = (text: string): InjectionSignal[] => [
  ...hiddenTextSignals(text, signalsMax),
  ...templateSignals(text, signalsMax),
  ...exfiltrationSignals(text, signalsMax),
  ...phrasingSignals(text, signalsMax),
]

/**
 * What in a text hints at prompt injection. Pure, and linear in the length of the text. It is a signal for
 * records, for metrics and for a policy of the operator; it is no wall, and its absence says nothing.
 */
export const injectionSignals = (text: string): readonly InjectionSignal[] => [
  ...plainSignals(text),
  ...encodedSignals(text, signalsMax, (decoded) => plainSignals(decoded).length > 0),
]
