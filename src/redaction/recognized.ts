import type { Action, Finding } from './finding.ts'

/** A stretch of a text that a recognizer service named, in UTF-16 code units. */
export interface RecognizedSpan {
  readonly entity: string
  readonly start: number
  readonly end: number
}

/** An external service that finds what patterns cannot: names, places, what a language model was trained for. */
export interface RecognizerService {
  /** Spans in order, none over another. Rejects when they cannot be had. */
  analyze(text: string, signal: AbortSignal): Promise<readonly RecognizedSpan[]>
}

/** Stands where findings name who found them. */
const recognizer = 'recognizer-service'

const placeholders = /\[[A-Z][A-Z0-9_]{1,63}\]/g

/**
 * What a service found in a text that the rules have masked already, as findings. Placeholders in it are ours, whatever
 * the service takes them for: a span is cut where one begins.
 */
export function recognizedFindings(
  masked: string,
  spans: readonly RecognizedSpan[],
  actionOf: (entity: string) => Action,
): readonly Finding[] {
  const ours = [...masked.matchAll(placeholders)].map(({ 0: text, index }) => [index, index + text.length])
  const found: Finding[] = []
  let next = 0
  for (const { entity, start, end } of spans) {
    const action = actionOf(entity)
    let from = start
    while (next < ours.length && (ours[next]?.[1] as number) <= start) next++
    for (let at = next; at < ours.length && (ours[at]?.[0] as number) < end; at++) {
      const [open, close] = ours[at] as [number, number]
      if (open > from) found.push({ entity, recognizer, action, start: from, end: open })
      from = close
    }
    if (from < end) found.push({ entity, recognizer, action, start: from, end })
  }
  return found.filter(({ action, ...span }) => action !== 'allow' && holdsText(masked, span))
}

const letterOrDigit = /[\p{L}\p{N}]/u

const holdsText = (text: string, { start, end }: { readonly start: number; readonly end: number }): boolean =>
  letterOrDigit.test(text.slice(start, end))
