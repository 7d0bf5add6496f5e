/**
 * The part of docs/reference/conformance.md that is made from the tests: counts, then the one table of deviations.
 * Run as a program it writes the page anew; test/docs/conformance.test.ts fails when the page is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deviations, encryption } from '../identity/wycheproof.deviations.ts'
import { type Deviation, looser, stricter } from '../identity/x509-limbo.deviations.ts'
import { limboCases } from './limbo.ts'
import { readDocument, root } from './markdown.ts'

type Verdict = 'accept' | 'refuse'

/** A case on which we differ from its suite, or several with one reason. */
export interface Row {
  readonly suite: string
  readonly ids: readonly string[]
  readonly expected: Verdict
  readonly ours: Verdict
  readonly reason: string
}

export const page = 'docs/reference/conformance.md'
const mark = '<!-- made by test/support/conformance-table.ts -->\n'
const wycheproofFiles = ['signature', 'key', 'crypto', 'encryption'] as const

type Vectors = readonly { readonly tcId: number; readonly result: string }[]

function vectorsOf(file: string): Vectors {
  const path = join(root, `test/vectors/wycheproof/json_web_${file}_test.json`)
  const { testGroups } = JSON.parse(readFileSync(path, 'utf8')) as { testGroups: { tests: Vectors }[] }
  return testGroups.flatMap(({ tests }) => tests)
}

const opposite = (verdict: Verdict): Verdict => (verdict === 'accept' ? 'refuse' : 'accept')

function wycheproofRow([key, reason]: [string, string]): Row {
  const [file = '', id] = key.split(' ')
  const vector = vectorsOf(file).find(({ tcId }) => tcId === Number(id))
  if (vector === undefined) throw new Error(`there is no vector ${key}`)
  const expected = vector.result === 'valid' ? 'accept' : 'refuse'
  return { suite: `Wycheproof json_web_${file}`, ids: [`${id}`], expected, ours: opposite(expected), reason }
}

/** No JWE is read, so the valid ones share one row. */
function encryptionRow(): Row {
  const valid = vectorsOf('encryption').filter(({ result }) => result === 'valid')
  const ids = valid.map(({ tcId }) => String(tcId))
  return {
    suite: 'Wycheproof json_web_encryption',
    ids,
    expected: 'accept',
    ours: 'refuse',
    reason: encryption,
  }
}

function limboRows(deviations: readonly Deviation[]): Row[] {
  const expectedOf = new Map(limboCases().map(({ id, expected_result }) => [id, expected_result]))
  return deviations.flatMap(({ why, ids }) =>
    ids.map((id): Row => {
      const result = expectedOf.get(id)
      if (result === undefined) throw new Error(`there is no case ${id}`)
      const expected = result === 'SUCCESS' ? 'accept' : 'refuse'
      return {
        suite: 'x509-limbo',
        ids: [id],
        expected,
        ours: opposite(expected),
        reason: why.replace(/\.$/, ''),
      }
    }),
  )
}

/** Every deviation of both suites. The tests of the suites fail when one is missing, or is none. */
export const rows = (): Row[] => [
  ...Object.entries(deviations).map(wycheproofRow),
  encryptionRow(),
  ...limboRows(stricter),
  ...limboRows(looser),
]

/** A line for each part of a suite: how many cases have the verdict of the suite, of how many. */
export function counts(): string[] {
  const all = rows()
  const line = (suite: string, total: number): string => {
    const differing = (ours: Verdict): number =>
      all.filter((row) => row.suite === suite && row.ours === ours).flatMap(({ ids }) => ids).length
    const [refused, accepted] = [differing('refuse'), differing('accept')]
    return `- ${suite}: ${total - refused - accepted} of ${total} (${refused} stricter, ${accepted} looser)`
  }
  const wycheproof = wycheproofFiles.map((file) =>
    line(`Wycheproof json_web_${file}`, vectorsOf(file).length),
  )
  return [...wycheproof, line('x509-limbo', limboCases().length)]
}

/** `1, 28-35`: numbers that follow one another are one range. */
export function ranges(ids: readonly string[]): string {
  const runs: number[][] = []
  for (const id of ids.map(Number)) {
    const run = runs.at(-1)
    if (run?.at(-1) === id - 1) run.push(id)
    else runs.push([id])
  }
  return runs.map((run) => (run.length > 1 ? `${run[0]}-${run.at(-1)}` : `${run[0]}`)).join(', ')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

export const lineOf = ({ suite, ids, expected, ours, reason }: Row): string =>
  `| ${suite} | \`${ids.length > 1 ? ranges(ids) : ids[0]}\` | ${expected} | ${ours} | ${cell(reason)} |`

const conformance = (): string =>
  [
    ...[...counts(), ''],
    ...['| Suite | Case | Expected by the suite | What we do | Reason |', '|---|---|---|---|---|'],
    ...[...rows().map(lineOf), ''],
  ].join('\n')

/** The page as it must be: what is above the mark stays. */
export const rewritten = (markdown: string): string => {
  const [above, below] = markdown.split(mark)
  if (below === undefined) throw new Error(`${page} has lost its mark`)
  return `${above}${mark}\n${conformance()}`
}

if (import.meta.main) writeFileSync(join(root, page), rewritten(readDocument(page)))
