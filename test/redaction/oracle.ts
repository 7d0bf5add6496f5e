import { ContextWords, hasList } from '../../src/redaction/context.ts'
import type { Action, Finding } from '../../src/redaction/finding.ts'
import {
  contextBoost,
  type Edge,
  type Family,
  type Guard,
  type Recognizer,
  type Rule,
  scoreMinDefault,
} from '../../src/redaction/recognizer.ts'
import { Source } from '../../src/redaction/source.ts'

/**
 * What the scanner must do, said again without an automaton: every start, every end, every rule, by regular
 * expressions (the pattern subset is one of theirs), then the union of what was found. Slow, and whole texts only.
 */
interface OracleRule {
  readonly id: string
  readonly entity: string
  readonly family: Family
  readonly rule: Rule
  readonly whole: RegExp
  readonly begins: RegExp
  readonly context: ContextWords | undefined
}

interface Span {
  readonly start: number
  readonly end: number
  /** Where it was decided: before its tail. */
  readonly decided: number
  readonly rule: number
}

const oracleRule = ({ id, entity, family }: Recognizer, rule: Rule): OracleRule => {
  const flags = rule.ignoreCase ? 'i' : ''
  return {
    id,
    entity,
    family,
    rule,
    whole: new RegExp(`^(?:${rule.pattern})$`, flags),
    begins: new RegExp(`(?:${rule.pattern})`, `y${flags}`),
    context: rule.context === undefined ? undefined : new ContextWords([rule.context]),
  }
}

const member = (members: string | undefined, char: string | undefined): boolean =>
  members !== undefined && char !== undefined && new RegExp(`[${members}]`).test(char)

const violates = (edge: Edge | undefined, near: string | undefined, far: string | undefined): boolean =>
  member(edge?.not, near) ||
  (edge?.only !== undefined && !member(edge.only, near)) ||
  (edge?.none === true && near !== undefined) ||
  (member(edge?.notPair?.near, near) && member(edge?.notPair?.far, far))

const families = new Map<Family, Map<Guard | undefined, object>>()

/** Stands for the rules of one family and guard. */
function groupOf({ family, rule }: OracleRule): object {
  const byGuard = families.get(family) ?? new Map<Guard | undefined, object>()
  families.set(family, byGuard)
  const group = byGuard.get(rule.guard) ?? {}
  byGuard.set(rule.guard, group)
  return group
}

const scores = (text: string, start: number, { rule, context }: OracleRule): boolean =>
  (rule.score ?? 1) + (context !== undefined && hasList(context.before(text, start), 0) ? contextBoost : 0) >=
  scoreMinDefault

const mayBegin = (text: string, start: number, rule: Rule): boolean =>
  !violates(rule.left, text[start - 1], text[start - 2]) && (rule.guard?.(text, start) ?? true)

/** Where a match that has `body` after its head begins. */
function headStart(text: string, body: number, head: NonNullable<Rule['head']>): number | undefined {
  let from = body
  while (from > 0 && body - from < head.lengthMax && member(head.rest, text[from - 1])) from--
  while (from < body && !member(head.first, text[from])) from++
  return from < body ? from : undefined
}

/** The ends of valid matches from `start`, whose pattern begins at `body`. */
function ends(text: string, start: number, body: number, candidate: OracleRule): number[] {
  const { rule, whole, begins } = candidate
  begins.lastIndex = body
  if (!begins.test(text) || !scores(text, start, candidate)) return []
  const found: number[] = []
  for (let end = body + 1; end <= Math.min(text.length, start + rule.lengthMax); end++) {
    if (!whole.test(text.slice(body, end))) continue
    const certain = rule.sure !== undefined || rule.closes === true
    if (!certain && violates(rule.right, text[end], text[end + 1])) continue
    if (rule.validate === undefined || rule.validate(text, start, end)) found.push(end)
  }
  return found
}

/** The masked text of a text and its findings, as the scanner must give them for these recognizers. */
export function createOracle(recognizers: readonly Recognizer[]) {
  const rules = recognizers.flatMap((recognizer) =>
    recognizer.rules.map((rule) => oracleRule(recognizer, rule)),
  )

  const closing = rules
    .filter(({ rule }) => rule.closes)
    .map(({ rule }) => new RegExp(`(?:${rule.pattern})$`))
  const isClosed = (text: string): boolean => closing.some((pattern) => pattern.test(text.slice(-64)))

  function blockEnd(
    text: string,
    from: number,
    tail: { members: string; runMin: number; gapMax: number },
  ): number {
    let run = 0
    let gap = 0
    for (let end = from + 1; end <= text.length; end++) {
      if (isClosed(text.slice(0, end))) return end
      run = member(tail.members, text[end - 1]) ? run + 1 : 0
      gap = run >= tail.runMin ? 0 : gap + 1
      if (gap >= tail.gapMax) return end
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
    const end = rule.sure === undefined ? Math.max(...found) : Math.min(...found)
    return { start, end, decided: end, rule: index }
  }

  const isCertain = ({ rule }: Span) => rules[rule]?.rule.sure !== undefined

  /** Rules that begin together end together: the first that is certain ends them all. */
  function spansFrom(text: string, at: number, wanted: (entity: string) => boolean): Span[] {
    const groups = new Map<unknown, Span[]>()
    for (const [index, candidate] of rules.entries()) {
      if (candidate.rule.closes === true || !wanted(candidate.entity)) continue
      const span = spanOf(text, at, candidate, index)
      const group = candidate.rule.head ?? groupOf(candidate)
      if (span !== undefined) groups.set(group, [...(groups.get(group) ?? []), span])
    }
    return [...groups.values()].flatMap((spans) => decided(text, spans))
  }

  function decided(text: string, spans: readonly Span[]): Span[] {
    const [first] = spans.filter(isCertain).sort((a, b) => a.end - b.end || a.rule - b.rule)
    const others = spans.filter((span) => !isCertain(span) && (first === undefined || span.end < first.end))
    if (first === undefined) return others
    return [...others, { ...first, end: tailEnd(text, first.end, rules[first.rule]?.rule as Rule) }]
  }

  return function scan(text: string, actionOf: (entity: string) => Action = () => 'mask') {
    const source = new Source()
    const read = source.append(text) + source.finish()
    const spans = Array.from({ length: read.length }, (_, index) => index)
      .flatMap((at) => spansFrom(read, at, (entity) => actionOf(entity) !== 'allow'))
      .sort((a, b) => a.start - b.start || b.decided - a.decided || a.rule - b.rule)
    return masked(text, source, spans, rules)
  }
}

/** The text with the union of spans masked; places are those of the text as it was written. */
function masked(text: string, source: Source, spans: readonly Span[], rules: readonly OracleRule[]) {
  const findings: Finding[] = []
  let maskEnd = 0
  for (const span of spans) {
    const [start, end] = [source.rawAt(span.start), source.rawEndAt(span.end)]
    const last = findings.at(-1) as { end: number } | undefined
    if (last === undefined || span.start >= maskEnd) {
      const { id = '', entity = '' } = rules[span.rule] ?? {}
      findings.push({ entity, recognizer: id, action: 'mask', start, end })
    } else last.end = Math.max(last.end, end)
    maskEnd = Math.max(maskEnd, span.end)
  }
  let left = ''
  let from = 0
  for (const { entity, start, end } of findings) {
    left += `${text.slice(from, start)}[${entity}]`
    from = end
  }
  return { text: left + text.slice(from), findings }
}
