// The labeled texts of test/corpora, as data.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export const parts = ['dev', 'held-out'] as const
export type CorpusPart = (typeof parts)[number]

const folder = join(import.meta.dirname, '../../../test/corpora')

export const corpusFile = (part: CorpusPart, name: string): string => join(folder, part, `${name}.jsonl.gz`)

export interface CorpusRow {
  readonly id: string
  readonly text: string
}

export const readCorpus = (part: CorpusPart, name: string): CorpusRow[] =>
  gunzipSync(readFileSync(corpusFile(part, name)))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CorpusRow)
