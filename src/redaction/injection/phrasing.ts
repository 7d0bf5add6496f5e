import { CodeUnits } from '../code-units.ts'
import { foldedUnit, isLetter } from '../lexicon/letters.ts'
import { type PhraseRule, phraseRules, unspacedPhrases, wordClasses } from './phrases.ts'
import type { InjectionSignal } from './signal.ts'

const seed = 0x811c9dc5
const prime = 0x01000193
const apostrophe = 39
const typographicApostrophe = 0x2019
const distinctUnits = 0x530
const backslash = 92

/** Letters of all scripts, their vowel signs included; punctuation and symbols are none. */
function isWordUnit(unit: number): boolean {
  if (unit < distinctUnits) return isLetter(unit) || unit === apostrophe
  if (unit === 0x964 || unit === 0x965) return false
  return unit < 0x2000 || (unit > 0x30ff && unit < 0xd800)
}

/**
 * By code unit: the unit that stands for it in a word, or 0 where it parts words. One look-up a character.
 */
const wordUnits = Uint16Array.from({ length: 0x10000 }, (_, unit) => {
  if (unit === typographicApostrophe) return apostrophe
  if (!isWordUnit(unit)) return 0
  return unit < distinctUnits ? foldedUnit(unit) : unit
})

function hashOf(word: string): number {
  let hash = seed
  for (let index = 0; index < word.length; index++)
    hash = Math.imul(hash ^ (wordUnits[word.charCodeAt(index)] as number), prime)
  return hash
}

/** Class names in order; a word has a number per class list it is in. */
const names = Object.keys(wordClasses) as (keyof typeof wordClasses)[]

/** By the hash of a word, the classes it is of. */
function buildClasses(): ReadonlyMap<number, readonly number[]> {
  const classes = new Map<number, number[]>()
  for (const [index, name] of names.entries()) {
    for (const word of wordClasses[name].trim().split(/\s+/)) {
      const hash = hashOf(word)
      classes.set(hash, [...(classes.get(hash) ?? []), index])
    }
  }
  return classes
}

const filterMask = (1 << 14) - 1
const hasUnspaced = /[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff]/

/** One bit for each hash that some class has: most words of a text end here. */
function buildFilter(hashes: Iterable<number>): Uint8Array {
  const filter = new Uint8Array(filterMask + 1)
  for (const hash of hashes) filter[hash & filterMask] = 1
  return filter
}

interface CompiledRule {
  readonly id: string
  readonly classes: readonly number[]
  readonly gaps: readonly number[]
  readonly window: number | undefined
}

const compileRule = ({ id, steps, window }: PhraseRule): CompiledRule => ({
  id,
  classes: steps.map(([name]) => names.indexOf(name)),
  gaps: steps.map(([, gap]) => gap + 1),
  window,
})

const classes = buildClasses()
const filter = buildFilter(classes.keys())
const rules = phraseRules.map(compileRule)
/** By class, the rules it is a step of. */
const rulesOf = names.map((_, index) =>
  rules.flatMap((rule, at) => (rule.classes.includes(index) ? [at] : [])),
)

const never = -1000

interface Steps {
  /** By step, the number of the word that reached it last. */
  readonly reached: Int32Array
  /** By step, where the phrase began that reached it. */
  readonly starts: Int32Array
}

/** Which steps of the rules the words so far have reached, and where. Most texts begin no phrase, and cost nothing. */
class Progress {
  readonly #steps: (Steps | undefined)[] = []

  /** Takes the class of the word with this number; says where the phrase began that it completes, or -1. */
  take(at: number, found: number, word: number, start: number): number {
    const rule = rules[at] as CompiledRule
    const steps = this.#stepsOf(at, rule)
    return rule.window === undefined
      ? ordered(rule, steps, found, word, start)
      : unordered(rule, steps, found, word, start)
  }

  #stepsOf(at: number, { classes }: CompiledRule): Steps {
    const known = this.#steps[at]
    if (known !== undefined) return known
    const steps = {
      reached: new Int32Array(classes.length).fill(never),
      starts: new Int32Array(classes.length),
    }
    this.#steps[at] = steps
    return steps
  }
}

function ordered(
  rule: CompiledRule,
  { reached, starts }: Steps,
  found: number,
  word: number,
  start: number,
): number {
  const last = rule.classes.length - 1
  let completed = -1
  // From the last step on, so that one word is not two steps.
  for (let step = last; step >= 0; step--) {
    if (rule.classes[step] !== found) continue
    if (step === 0) starts[0] = start
    else {
      const distance = word - (reached[step - 1] as number)
      if (distance < 1 || distance > (rule.gaps[step] as number)) continue
      starts[step] = starts[step - 1] as number
    }
    reached[step] = word
    if (step === last) completed = starts[step] as number
  }
  return completed
}

function unordered(
  rule: CompiledRule,
  { reached, starts }: Steps,
  found: number,
  word: number,
  start: number,
): number {
  const step = rule.classes.indexOf(found)
  reached[step] = word
  starts[step] = start
  const oldest = Math.min(...reached)
  return word - oldest <= (rule.window as number) ? Math.min(...starts) : -1
}

/** `\n`, `\r`, `\t`, as results of tools spell them in JSON: their letter is no part of the next word. */
function isEscapedBlank(text: string, at: number): boolean {
  const letter = text.charAt(at)
  return letter === 'n' || letter === 'r' || letter === 't'
}

const codeUnits = new CodeUnits(1 << 14)

/** Known phrasings, by words; linear in the text, since only listed words cost more than a look-up at its `units`. */
export function phrasingSignals(
  text: string,
  signalsMax: number,
  units: ArrayLike<number> = codeUnits.of(text),
): InjectionSignal[] {
  const signals: InjectionSignal[] = []
  const progress = new Progress()
  let word = 0
  let start = 0
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    const code = units[index] as number
    const unit = wordUnits[code] as number
    if (unit !== 0) {
      hash = Math.imul(hash ^ unit, prime)
      continue
    }
    if (index > start) {
      word++
      if (filter[hash & filterMask] === 1) takeWord(signals, progress, { hash, word, start, end: index })
      if (signals.length >= signalsMax) return signals
      hash = seed
    }
    if (code === backslash && isEscapedBlank(text, index + 1)) index++
    start = index + 1
  }
  if (text.length > start) takeWord(signals, progress, { hash, word: word + 1, start, end: text.length })
  return [...signals, ...unspacedSignals(text, signalsMax - signals.length)]
}

function unspacedSignals(text: string, signalsMax: number): InjectionSignal[] {
  const signals: InjectionSignal[] = []
  if (!hasUnspaced.test(text)) return signals
  for (const { 0: phrase, index } of text.matchAll(unspacedPhrases)) {
    if (signals.length >= signalsMax) break
    signals.push({ kind: 'known_phrasing', rule: 'override', start: index, end: index + phrase.length })
  }
  return signals
}

interface FoundWord {
  readonly hash: number
  readonly word: number
  readonly start: number
  readonly end: number
}

function takeWord(
  signals: InjectionSignal[],
  progress: Progress,
  { hash, word, start, end }: FoundWord,
): void {
  for (const found of classes.get(hash) ?? []) {
    for (const at of rulesOf[found] as readonly number[]) {
      const from = progress.take(at, found, word, start)
      if (from >= 0)
        addPhrase(signals, { kind: 'known_phrasing', rule: (rules[at] as CompiledRule).id, start: from, end })
    }
  }
}

/** Phrases of one rule that overlap are one. */
function addPhrase(signals: InjectionSignal[], signal: InjectionSignal): void {
  const last = signals.findLastIndex(({ rule }) => rule === signal.rule)
  const known = signals[last]
  if (known === undefined || known.end <= signal.start) signals.push(signal)
  else signals[last] = { ...known, end: signal.end }
}
