import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseSamples, type Sample } from '../../src/redaction/scoring/sample.ts'

/** `dev` is for writing recognizers, `held-out` for nothing but the final figures (README.md). */
export const parts = ['dev', 'held-out'] as const
export type CorpusPart = (typeof parts)[number]

const extension = '.jsonl.gz'

/** The families of labeled texts. */
export const families: readonly string[] = readdirSync(join(import.meta.dirname, 'dev'))
  .filter((file) => file.endsWith(extension))
  .map((file) => file.slice(0, -extension.length))

export const corpusPath = (part: CorpusPart, family: string): string =>
  join(import.meta.dirname, part, `${family}${extension}`)

const unpacked = (part: CorpusPart, family: string): string =>
  gunzipSync(readFileSync(corpusPath(part, family))).toString('utf8')

/** The samples of a family; every span has been checked against its text. */
export const readCorpus = (part: CorpusPart, family: string): Sample[] => parseSamples(unpacked(part, family))

export interface InjectionRow {
  readonly id: string
  readonly text: string
  /** 1: an attack. */
  readonly label: 0 | 1
  readonly category: string
}

export const injectionFamilies = ['cyberseceval-mitre-frr', 'cyberseceval-prompt-injection'] as const

export const readInjections = (
  part: CorpusPart,
  family: (typeof injectionFamilies)[number],
): InjectionRow[] =>
  unpacked(part, `injection/${family}`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as InjectionRow)
