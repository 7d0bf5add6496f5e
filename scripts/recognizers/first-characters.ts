import { type PatternNode, parsePattern } from '../../src/redaction/pattern.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'

/** What a pattern may begin with; `whole` while nothing but fixed characters has come. */
interface Head {
  readonly text: string
  readonly whole: boolean
}

const nothing: readonly Head[] = [{ text: '', whole: true }]
const open: readonly Head[] = [{ text: '', whole: false }]

function headsOf(node: PatternNode): readonly Head[] {
  if (node.kind === 'choice') return node.options.flatMap(headsOf)
  if (node.kind === 'sequence') return node.parts.reduce(followed, nothing)
  const first = node.set.indexOf(1)
  const isOne = first === node.set.lastIndexOf(1) && node.min === node.max
  return isOne ? [{ text: String.fromCharCode(first).repeat(node.min), whole: true }] : open
}

function followed(heads: readonly Head[], part: PatternNode): readonly Head[] {
  if (heads.every(({ whole }) => !whole)) return heads
  const next = headsOf(part)
  return heads.flatMap((head) =>
    head.whole ? next.map(({ text, whole }) => ({ text: head.text + text, whole })) : [head],
  )
}

/** Fewer fixed characters than this prove nothing. */
const unitsMin = 2

/** The fixed first characters of a recognizer, in order; none where a rule of it begins in another way. */
export function firstCharacters({ rules }: Pick<Recognizer, 'rules'>): readonly string[] {
  if (rules.some(({ head }) => head !== undefined)) return []
  const texts = rules.flatMap(({ pattern }) => headsOf(parsePattern(pattern)).map(({ text }) => text))
  return texts.some((text) => text.length < unitsMin) ? [] : [...new Set(texts)]
}
