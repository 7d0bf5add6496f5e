import { recognizers } from '../../src/redaction/catalog.ts'
import type { Action } from '../../src/redaction/finding.ts'
import type { Edge, Rule } from '../../src/redaction/recognizer.ts'

/**
 * What the scanner must do, said again without an automaton: every start, every end, every rule, by regular
 * expressions (the pattern subset is one of theirs), then the union of what was found. Slow, and whole texts only.
 */
interface OracleRule {
  readonly entity: string
  readonly rule: Rule
  readonly whole: RegExp
  readonly begins: RegExp
}

interface Span {
  readonly start: number
  readonly end: number
  readonly rule: number
}

const rules: readonly OracleRule[] = recognizers.flatMap(({ entity, rules }) =>
  rules.map((rule) => ({
    entity,
    rule,
    whole: new RegExp(`^(?:${rule.pattern})$`),
    begins: new RegExp(`(?:${rule.pattern})`, 'y'),
  })),
)

const member = (members: string | undefined, char: string | undefined): boolean =>
  members !== undefined && char !== undefined && new RegExp(`[${members}]`).test(char)

const violates = (edge: Edge | undefined, near: string | undefined, far: string | undefined): boolean =>
  member(edge?.not, near) || (member(edge?.notPair?.near, near) && member(edge?.notPair?.far, far))

const mayBegin = (text: string, start: number, rule: Rule): boolean =>
  /\\[bfnrt]$/.test(text.slice(0, start)) || !violates(rule.left, text[start - 1], text[start - 2])

/** Where a match that has `body` after its head begins. */
function headStart(text: string, body: number, head: NonNullable<Rule['head']>): number | undefined {
  let from = body
  while (from > 0 && body - from < head.lengthMax && member(head.rest, text[from - 1])) from--
  while (from < body && !member(head.first, text[from])) from++
  return from < body ? from : undefined
}

/** The ends of valid matches from `start`, whose pattern begins at `body`. */
function ends(text: string, start: number, body: number, { rule, whole, begins }: OracleRule): number[] {
  begins.lastIndex = body
  if (!begins.test(text)) return []
  const found: number[] = []
  for (let end = body + 1; end <= Math.min(text.length, start + rule.lengthMax); end++) {
    if (!whole.test(text.slice(body, end))) continue
    const certain = rule.sure !== undefined || rule.closes === true
    if (!certain && violates(rule.right, text[end], text[end + 1])) continue
    if (rule.validate === undefined || rule.validate(text, start, end)) found.push(end)
  }
  return found
}

function blockEnd(
  text: string,
  from: number,
  tail: { members: string; runMin: number; gapMax: number },
): number {
  const closing = rules
    .filter(({ rule }) => rule.closes)
    .map(({ rule }) => new RegExp(`(?:${rule.pattern})$`))
  let run = 0
  let gap = 0
  for (let end = from + 1; end <= text.length; end++) {
    if (closing.some((pattern) => pattern.test(text.slice(Math.max(0, end - 64), end)))) return end
    run = member(tail.members, text[end - 1]) ? run + 1 : 0
    gap = run >= tail.runMin ? 0 : gap + 1
    if (gap >= tail.gapMax && !/[\ud800-\udbff]/.test(text[end - 1] ?? '')) return end
  }
  return text.length
}

function tailEnd(text: string, from: number, { sure }: Rule): number {
  if (sure === undefined) return from
  if (sure.kind === 'block') return blockEnd(text, from, sure)
  const joined = sure.joiners === undefined ? '' : `|[${sure.joiners}](?=[${sure.members}])`
  const pattern = new RegExp(`(?:[${sure.members}]${joined})*`, 'y')
  pattern.lastIndex = from
  pattern.test(text)
  return pattern.lastIndex
}

/** The longest match of a rule whose pattern begins at `at`; of a certain one the part before its tail. */
function spanOf(text: string, at: number, candidate: OracleRule, index: number): Span | undefined {
  const { rule } = candidate
  const start = rule.head === undefined ? at : headStart(text, at, rule.head)
  if (start === undefined || (rule.head === undefined && !mayBegin(text, start, rule))) return undefined
  const found = ends(text, start, at, candidate)
  if (found.length === 0) return undefined
  return { start, end: rule.sure === undefined ? Math.max(...found) : Math.min(...found), rule: index }
}

function spansFrom(text: string, at: number, wanted: (entity: string) => boolean): Span[] {
  const spans = rules
    .map((candidate, index) => {
      if (candidate.rule.closes === true || !wanted(candidate.entity)) return undefined
      return spanOf(text, at, candidate, index)
    })
    .filter((span) => span !== undefined)
  const isCertain = ({ rule }: Span) => rules[rule]?.rule.sure !== undefined
  const [first] = spans.filter(isCertain).sort((a, b) => a.end - b.end || a.rule - b.rule)
  const others = spans.filter((span) => !isCertain(span))
  if (first === undefined) return others
  return [...others, { ...first, end: tailEnd(text, first.end, rules[first.rule]?.rule as Rule) }]
}

/** The masked text and its findings, as the scanner must give them. */
export function oracle(text: string, actionOf: (entity: string) => Action = () => 'mask') {
  const spans = Array.from({ length: text.length }, (_, index) => index)
    .flatMap((at) => spansFrom(text, at, (entity) => actionOf(entity) !== 'allow'))
    .sort((a, b) => a.start - b.start || b.end - a.end || a.rule - b.rule)
  const masks: { entity: string; action: 'mask'; start: number; end: number }[] = []
  for (const { start, end, rule } of spans) {
    const last = masks.at(-1)
    if (last === undefined || start >= last.end) {
      masks.push({ entity: rules[rule]?.entity ?? '', action: 'mask', start, end })
    } else last.end = Math.max(last.end, end)
  }
  let masked = ''
  let from = 0
  for (const { entity, start, end } of masks) {
    masked += `${text.slice(from, start)}[${entity}]`
    from = end
  }
  return { text: masked + text.slice(from), findings: masks }
}
