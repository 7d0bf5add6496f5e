import type { Call } from '../../openai/call.ts'
import type { Permit } from '../../policy/permit.ts'
import { PacedScreening } from '../../redaction/paced-screening.ts'
import {
  onlyProven,
  type PromptScreens,
  screenPromptText,
  screenSeams,
} from '../../redaction/prompt-screening.ts'
import type { RecognizerService } from '../../redaction/recognized.ts'
import type { Replacement } from '../../redaction/replacement/replacement.ts'
import { Refusal } from '../../refusal.ts'
import { AnalyzerFault } from '../../upstream/recognizer/analyzer.ts'
import { type Located, LocatedFindings } from '../located-findings.ts'
import type { Gateway, ProfileRules } from '../parts.ts'

declare const evidence: unique symbol

/** Proof that every text of the call went through the prompt rules. Dispatch takes nothing else. */
export interface ScreenedCall {
  readonly call: Call
  readonly found: Located
  /** What stands in it for the caller's values, and how that is turned back. */
  readonly replacement: Replacement
  readonly [evidence]: true
}

/** The profile does not let the prompt through. What was found until then still counts. */
export class PromptBlocked extends Refusal {
  readonly found: Located

  constructor(entity: string, param: string, found: Located) {
    super('content_blocked', entity, { param })
    this.found = found
  }
}

/** How long to wait before a recognizer service is worth another try. */
const retryAfterMs = 1_000
/** Texts of one call that a recognizer service is asked about: as many as a call may have messages or inputs. */
const textsAskedMax = 2_048

interface Parts extends Pick<Gateway, 'analyzer'> {
  readonly redaction: {
    rulesFor(profile: string): Pick<ProfileRules, 'prompt' | 'replacementFor' | 'recognizedAction'>
  }
}

/**
 * Scans the seams between messages and each text of the call, and puts the text that may go on in its place. Throws
 * `content_blocked` when the profile says so, `redaction_unavailable` when a recognizer service that must be asked gives
 * no answer, and the reason of `signal` when that ends it.
 */
export async function screenPrompt(
  permit: Permit,
  { redaction, analyzer }: Parts,
  signal: AbortSignal,
): Promise<ScreenedCall> {
  const { call } = permit
  const { prompt, replacementFor, recognizedAction: actionOf } = redaction.rulesFor(permit.redactionProfile)
  const replacement = replacementFor(permit.principal.tenant)
  const found = new LocatedFindings()
  const paced = new PacedScreening(prompt, signal)
  const screens: PromptScreens = {
    ordinary: (slot) => paced.screen(slot, prompt.open(slot.kind, replacement.prompt)),
    proven: async (slot) => onlyProven(await paced.screen(slot)),
    replacer: replacement.prompt,
    recognizer: analyzer && actionOf && { service: askedAbout(textsAskedMax, analyzer), actionOf },
  }
  const isInert = prompt.inert && screens.recognizer === undefined
  const texts = isInert ? [] : call.texts
  const seams = await screenSeams(texts, screens)
  for (const { path, found: pieces } of seams.texts) found.addAll(path, pieces)
  if (seams.blocked) throw new PromptBlocked(seams.blocked.entity, seams.blocked.path, found)
  for (const slot of texts) {
    const screening = await screenPromptText(slot, screens, signal).catch((error: unknown) => {
      throw error instanceof AnalyzerFault ? unavailable(error, slot.path) : error
    })
    found.addAll(slot.path, screening)
    if (screening.blocked) throw new PromptBlocked(screening.blocked.entity, slot.path, found)
    if (screening.text !== slot.text) slot.replace(screening.text)
  }
  return { call, found, replacement } as unknown as ScreenedCall
}

/** A hundred thousand texts of one letter would be as many requests, one after the other. */
function askedAbout(textsMax: number, analyzer: RecognizerService): RecognizerService {
  let texts = 0
  return {
    async analyze(text, signal) {
      if (++texts > textsMax)
        throw new Refusal('request_too_large', `more than ${textsMax} texts for the recognizer service`)
      return await analyzer.analyze(text, signal)
    },
  }
}

/** A text that is too long for the service will be too long when it is sent again. */
const unavailable = (cause: AnalyzerFault, path: string): Refusal =>
  cause.reason === 'text_too_long'
    ? new Refusal('request_too_large', cause.message, { param: path, cause })
    : new Refusal('redaction_unavailable', cause.message, { retryAfterMs, cause })
