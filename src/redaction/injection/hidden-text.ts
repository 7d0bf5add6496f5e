import type { InjectionSignal } from './signal.ts'

/**
 * Characters that are read and not seen, in a row; tags and the further variation selectors are surrogate
 * pairs.
 */
const hiddenRun =
  /(?:[\u180e\u200b-\u200d\u202d\u202e\u2060-\u2064\ufeff]|[\ufe00-\ufe0f]|\udb40[\udc00-\uddef])+/g
const tagPair = /\udb40[\udc00-\udc7f]/
const direction = /[\u202d\u202e]/
const zeroWidth = /^[\u180e\u200b-\u200d\u2060-\u2064\ufeff]+$/
const selectors = /(?:[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]){2}/
const latin = /[A-Za-z0-9]/
/** Tags after a black flag spell a region; no region is longer. */
const blackFlag = '\ud83c\udff4'
const flagUnitsMax = 14
const zeroWidthRunMin = 4

function isFlag(text: string, run: string, start: number): boolean {
  return run.length <= flagUnitsMax && text.slice(start - blackFlag.length, start) === blackFlag
}

/**
 * Which rule a run breaks. Joiners have their place in Indic and Arabic words and in emoji, and one selector
 * in an emoji or an ideograph, so single ones between such characters are no sign.
 */
function ruleOf(text: string, run: string, start: number): string | undefined {
  if (tagPair.test(run) && !isFlag(text, run, start)) return 'tag-characters'
  if (direction.test(run)) return 'direction-override'
  if (selectors.test(run)) return 'variation-selectors'
  if (!zeroWidth.test(run)) return undefined
  if (run.length >= zeroWidthRunMin) return 'zero-width-run'
  const inWord = latin.test(text.charAt(start - 1)) && latin.test(text.charAt(start + run.length))
  return inWord ? inWordRule : undefined
}

const inWordRule = 'zero-width-in-word'
/** A zero-width space may be left over from a web page; words that are cut twice are no accident. */
const inWordMin = 2

/**
 * Tag characters, rows of variation selectors, zero-width characters in words, overrides of the writing
 * direction.
 */
export function hiddenTextSignals(text: string, signalsMax: number): InjectionSignal[] {
  const found: InjectionSignal[] = []
  for (const { 0: run, index } of text.matchAll(hiddenRun)) {
    const rule = ruleOf(text, run, index)
    if (rule === undefined) continue
    found.push({ kind: 'invisible_text', rule, start: index, end: index + run.length })
    if (found.length === signalsMax) break
  }
  const inWords = found.filter(({ rule }) => rule === inWordRule)
  return inWords.length < inWordMin ? found.filter(({ rule }) => rule !== inWordRule) : found
}
