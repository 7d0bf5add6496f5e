import type { EncodedFinding } from './encoded/encoded-findings.ts'
import type { Finding, Replacer } from './finding.ts'
import { placeholder } from './mask.ts'

interface Edit {
  readonly start: number
  readonly end: number
  /** How far what follows has moved. */
  readonly shift: number
}

/** A text in which some findings were replaced, and the way back to where things stood before. */
export interface Replaced {
  readonly text: string
  /** The same findings of `text`, placed in the text as it was. */
  placed(findings: readonly Finding[]): readonly Finding[]
}

const isReplaced = ({ action }: Finding): boolean =>
  action !== 'block' && action !== 'shadow' && action !== 'allow'

/** Says what stands in the text in the place of a finding. */
export type StandIn = (finding: EncodedFinding, value: string) => string

/** A placeholder at all times: a token, or a piece of a value, has no pseudonym and no hash of its own. */
export const withoutValue =
  (replacer?: Replacer): StandIn =>
  (finding) => {
    const text = replacer?.replace(finding, undefined) ?? placeholder(finding.entity)
    return finding.bare === true ? JSON.stringify(text) : text
  }

/** Whatever the profile does with the entity. */
export const byValue =
  (replacer?: Replacer): StandIn =>
  (finding, value) =>
    replacer?.replace(finding, value) ?? placeholder(finding.entity)

/** Puts something else in the place of the findings, which are in order and do not overlap. */
export function replaceFindings(
  text: string,
  findings: readonly EncodedFinding[],
  standIn: StandIn,
): Replaced {
  const edits: Edit[] = []
  const pieces: string[] = []
  let from = 0
  let shift = 0
  for (const finding of findings.filter(isReplaced)) {
    const { start, end } = finding
    const instead = standIn(finding, text.slice(start, end))
    pieces.push(text.slice(from, start), instead)
    shift += instead.length - (end - start)
    edits.push({ start, end, shift })
    from = end
  }
  if (edits.length === 0) return { text, placed: (unmoved) => unmoved }
  return {
    text: pieces.join('') + text.slice(from),
    placed: (moved) =>
      moved.map((finding) => ({
        ...finding,
        start: original(edits, finding.start),
        end: original(edits, finding.end),
      })),
  }
}

/** Where the unit at `at` of the new text stood; a place inside a placeholder is the beginning of what it replaced. */
function original(edits: readonly Edit[], at: number): number {
  let [low, high] = [0, edits.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const { end, shift } = edits[middle] as Edit
    if (end + shift <= at) low = middle + 1
    else high = middle
  }
  const before = edits[low - 1]
  const unmoved = at - (before?.shift ?? 0)
  const next = edits[low]
  return next === undefined ? unmoved : Math.min(unmoved, next.start)
}
