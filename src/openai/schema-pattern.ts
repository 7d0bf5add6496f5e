const patternLengthMax = 512
const repetitionMax = 1_000

/**
 * True if a regular expression in a schema is harmless in any engine, backtracking ones and automaton builders alike:
 * no repetition inside a repetition (`(a+)+b`), no lookaround, no back-reference, small counted repetitions.
 * It reads the pattern's signs only; nothing is compiled here.
 */
export function isTamePattern(pattern: string): boolean {
  if (pattern.length > patternLengthMax) return false
  const scan: Scan = { groups: [], repeats: false, repeatable: false, tame: true }
  for (const [token] of pattern.matchAll(tokens)) read(token, scan)
  return scan.tame
}

/** Escape, class, special group, plain group, repetition with its lazy mark, and every other character. */
const tokens = /\\[\s\S]?|\[(?:[^\]\\]|\\[\s\S])*\]?|\(\?.?|\(|\)|(?:[*+?]|\{\d*,?\d*\})[?+]?|[\s\S]/g

interface Scan {
  /** For each open group: whether a repetition stood before it on its level. */
  readonly groups: boolean[]
  /** There is a repetition on this level, or inside one of its groups. */
  repeats: boolean
  /** The last token is a group that holds a repetition. */
  repeatable: boolean
  tame: boolean
}

function read(token: string, scan: Scan): void {
  const first = token[0]
  const afterRepeatingGroup = scan.repeatable
  scan.repeatable = false
  if (first === '(') open(token, scan)
  else if (first === ')') close(scan)
  else if (first === '\\') scan.tame &&= !/^\\[1-9k]/.test(token)
  else if (first === '*' || first === '+' || isCounted(token)) {
    scan.tame &&= !afterRepeatingGroup && countOf(token) <= repetitionMax
    scan.repeats = true
  }
}

function open(token: string, scan: Scan): void {
  scan.tame &&= token === '(' || token === '(?:'
  scan.groups.push(scan.repeats)
  scan.repeats = false
}

function close(scan: Scan): void {
  const before = scan.groups.pop() ?? false
  scan.repeatable = scan.repeats
  scan.repeats ||= before
}

const isCounted = (token: string): boolean => token.startsWith('{') && token.length > 1

const countOf = (token: string): number => Math.max(0, ...(token.match(/\d+/g) ?? []).map(Number))
