import { recognizers } from './catalog.ts'
import { pacedEncodedFindings } from './encoded/encoded-findings.ts'
import type { Action, Finding, Found, Replacer, Screening } from './finding.ts'
import { FoundList } from './found.ts'
import { pacedJoinedFindings } from './joined.ts'
import { type RecognizerService, recognizedFindings } from './recognized.ts'
import { byValue, replaceFindings, withoutValue } from './replaced.ts'

/** A place in a call that holds text. */
export interface PromptText {
  readonly path: string
  readonly kind: 'text' | 'json'
  readonly text: string
  replace(text: string): void
}

/** Screens one text by a set of rules, with pauses. */
export type Screen = (slot: Pick<PromptText, 'kind' | 'text'>) => Promise<Screening>

export interface PromptScreens {
  /** All rules of the profile. */
  readonly ordinary: Screen
  /** Those whose values prove themselves (tier 1), for text without its context: encoded, or cut in two. */
  readonly proven: Screen
  readonly replacer?: Replacer | undefined
  readonly recognizer?:
    | { readonly service: RecognizerService; readonly actionOf: (entity: string) => Action }
    | undefined
}

interface Step extends Found {
  readonly text: string
  readonly blocked: Finding | undefined
}

/** Recognizers made of the lists of literal values of a profile are called so. */
const deniedPrefix = 'denied-'

const blockedBy = (findings: readonly Finding[]): Finding | undefined =>
  findings.find(({ action }) => action === 'block')

/**
 * All that is done with one text of a prompt, in this order: encoded tokens go whole, then the rules have the rest,
 * then a recognizer service is asked about what is left. So a service never sees what the rules know, and no rule
 * masks a part of a token that the rest would still give away.
 */
export async function screenPromptText(
  slot: Pick<PromptText, 'kind' | 'text'>,
  screens: PromptScreens,
  signal: AbortSignal,
): Promise<Screening> {
  const found = new FoundList()
  const tokens = await pacedEncodedFindings(slot, (text) => screens.proven({ kind: 'text', text }), signal)
  for (const token of tokens) found.add(token)
  const replaced = replaceFindings(slot.text, tokens, withoutValue(screens.replacer))
  let step: Step = { text: replaced.text, findings: [], tallies: [], blocked: blockedBy(tokens) }
  if (step.blocked === undefined) {
    step = await screens.ordinary({ kind: slot.kind, text: replaced.text })
    found.addAll({ findings: replaced.placed(step.findings), tallies: step.tallies })
  }
  if (step.blocked === undefined && slot.kind === 'text') {
    step = await askService(step.text, screens, signal)
    found.addAll(step)
  }
  const { text, blocked } = step
  return {
    text: blocked === undefined ? text : '',
    findings: found.findings,
    tallies: found.tallies,
    blocked,
  }
}

/** Places are those of the masked text. JSON is not asked about: a span could take its quotes along. */
async function askService(
  masked: string,
  { recognizer, replacer }: PromptScreens,
  signal: AbortSignal,
): Promise<Step> {
  const found = new FoundList()
  if (recognizer === undefined || masked === '')
    return { text: masked, ...found, tallies: [], blocked: undefined }
  const spans = await recognizer.service.analyze(masked, signal)
  const findings = recognizedFindings(masked, spans, recognizer.actionOf)
  for (const finding of findings) found.add(finding)
  const { text } = replaceFindings(masked, findings, byValue(replacer))
  return { text, findings: found.findings, tallies: found.tallies, blocked: blockedBy(findings) }
}

const isMessage = ({ path, kind }: PromptText): boolean => path.startsWith('messages[') && kind === 'text'

/** What was found in one text, and where that text stands. */
interface SeamFindings {
  readonly path: string
  readonly found: FoundList
  readonly findings: Finding[]
}

interface SeamScreening {
  readonly texts: readonly SeamFindings[]
  readonly blocked: { readonly entity: string; readonly path: string } | undefined
}

/** Masks values that are cut over adjacent messages, in all of them. To be done before the texts are screened. */
export async function screenSeams(
  slots: readonly PromptText[],
  { proven, replacer }: Pick<PromptScreens, 'proven' | 'replacer'>,
): Promise<SeamScreening> {
  const texts = slots.map((slot) => (isMessage(slot) ? slot.text : undefined))
  const pieces = await pacedJoinedFindings(texts, (text) => proven({ kind: 'text', text }))
  const byText = new Map<number, SeamFindings>()
  for (const { text, ...finding } of pieces) {
    const path = (slots[text] as PromptText).path
    const known = byText.get(text) ?? { path, found: new FoundList(), findings: [] }
    known.found.add(finding)
    known.findings.push(finding)
    byText.set(text, known)
  }
  const standIn = withoutValue(replacer)
  for (const [index, { findings }] of byText) {
    const slot = slots[index] as PromptText
    slot.replace(replaceFindings(slot.text, findings, standIn).text)
  }
  const blocked = pieces.find(({ action }) => action === 'block')
  return {
    texts: [...byText.values()],
    blocked: blocked && { entity: blocked.entity, path: slots[blocked.text]?.path ?? '' },
  }
}

const provenIds: ReadonlySet<string> = new Set(
  recognizers.filter(({ tier }) => tier === 1).map(({ id }) => id),
)
const isProven = ({ recognizer }: Finding): boolean =>
  provenIds.has(recognizer) || recognizer.startsWith(deniedPrefix)

/**
 * What of a screening was found by rules whose values prove themselves, or by lists of literal values. What is blocked
 * stays in any case: nothing behind it was looked at.
 */
export function onlyProven({ text, findings, blocked }: Screening): Screening {
  const found = new FoundList()
  for (const finding of findings) if (isProven(finding) || finding.action === 'block') found.add(finding)
  return { text, findings: found.findings, tallies: found.tallies, blocked }
}
