/** How far before a place a cue is looked for; less than the left context that every rule is promised. */
const cueUnits = 96

const kinds = { none: 0, lower: 1, upper: 2, digit: 3 } as const
type Kind = (typeof kinds)[keyof typeof kinds]

/** Letters beyond ASCII count as lower case: only ASCII names of programs are taken apart. */
function kindOf(unit: number): Kind {
  if (unit >= 97 && unit <= 122) return kinds.lower
  if (unit >= 65 && unit <= 90) return kinds.upper
  if (unit >= 48 && unit <= 57) return kinds.digit
  if (unit < 0xc0 || unit === 0xd7 || unit === 0xf7) return kinds.none
  return (unit >= 0x2000 && unit <= 0x2bff) || (unit >= 0x3000 && unit <= 0x303f) || unit >= 0xff00
    ? kinds.none
    : kinds.lower
}

/** Where the word that ends at `end` begins: a run of one kind, with the capital before small letters. */
function wordStart(text: string, from: number, end: number): number {
  const kind = kindOf(text.charCodeAt(end - 1))
  let begin = end - 1
  while (begin > from && kindOf(text.charCodeAt(begin - 1)) === kind) begin--
  const isCapital = begin > from && kindOf(text.charCodeAt(begin - 1)) === kinds.upper
  return kind === kinds.lower && isCapital ? begin - 1 : begin
}

/**
 * Up to `count` words that stand before `start`, the nearest first, in lower case; parts of `camelCase` and
 * `snake_case` names one by one. A word that is cut off is left out.
 */
export function wordsBefore(text: string, start: number, count: number): string[] {
  const from = Math.max(0, start - cueUnits)
  const words: string[] = []
  let end = start
  while (words.length < count) {
    while (end > from && kindOf(text.charCodeAt(end - 1)) === kinds.none) end--
    if (end === from) break
    const begin = wordStart(text, from, end)
    if (begin === from && from > 0) break
    words.push(text.slice(begin, end).toLowerCase())
    end = begin
  }
  return words
}

/** Whether one of `cues` is among the last `count` words before `start`; `stops` end the search. */
export function hasCue(
  text: string,
  start: number,
  { cues, count, stops }: { cues: ReadonlySet<string>; count: number; stops?: ReadonlySet<string> },
): boolean {
  for (const word of wordsBefore(text, start, count)) {
    if (cues.has(word)) return true
    if (stops?.has(word)) return false
  }
  return false
}
