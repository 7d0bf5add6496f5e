import { recognizers } from '../../src/redaction/catalog.ts'
import { type Recognizer, scoreMinDefault } from '../../src/redaction/recognizer.ts'
import { firstCharacters } from './first-characters.ts'
import { proofs } from './proofs.ts'

/** The table of docs/reference/recognizers.md, made from the recognizers. */
export const page = 'docs/reference/recognizers.md'

const marks = ['<!-- recognizers: begin -->\n', '<!-- recognizers: end -->\n'] as const
const shownMax = 3

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

function shown(texts: readonly string[]): string {
  const first = texts.slice(0, shownMax).map(code).join(', ')
  return texts.length > shownMax ? `${first} and ${texts.length - shownMax} more` : first
}

/** Why a match counts; nothing where neither the data nor the list says it. */
export function proofOf(recognizer: Recognizer): string | undefined {
  const said = proofs[recognizer.id]
  if (said !== undefined) return said
  const first = recognizer.family === 'prefix' ? firstCharacters(recognizer) : []
  return first.length === 0 ? undefined : `begins with ${shown(first)}`
}

/**
 * Which of a recognizer's rules need a word before the match, at the score of a profile that sets none. Before what is
 * the whole text no word can stand.
 */
function wordsOf({ rules }: Recognizer): string {
  const found = rules.filter(({ closes, left }) => closes !== true && left?.none !== true)
  const needing = found.filter(({ score = 1, context }) => context !== undefined && score < scoreMinDefault)
  if (needing.length === 0) return ''
  const words = [...new Set(needing.flatMap(({ context = [] }) => context))]
  return needing.length === found.length ? shown(words) : `for some forms: ${shown(words)}`
}

function rowOf(recognizer: Recognizer): string {
  const { id, entity, category, tier } = recognizer
  const cells = [code(id), code(entity), category, tier, proofOf(recognizer) ?? '', wordsOf(recognizer)]
  return `| ${cells.join(' | ')} |`
}

const head =
  '| id | entity | category | tier | what proves it | words it needs before it |\n|---|---|---|---|---|---|'

function summary(): string {
  const entities = new Set(recognizers.map(({ entity }) => entity)).size
  const rules = recognizers.reduce((sum, recognizer) => sum + recognizer.rules.length, 0)
  return `${recognizers.length} recognizers with ${rules} rules for ${entities} entities, by priority.`
}

/** The page with its table made anew. */
export function rewritten(markdown: string): string {
  const [before, rest] = markdown.split(marks[0])
  const after = rest?.split(marks[1])[1]
  if (before === undefined || after === undefined) throw new Error(`${page} lost its marks`)
  const table = [summary(), '', head, ...recognizers.map(rowOf), ''].join('\n')
  return before + marks[0] + table + marks[1] + after
}
