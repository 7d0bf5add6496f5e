// What each tool finds and what it leaves alone. All tools are scored by the same command: `sallyport redact score`.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type CorpusPart, corpusFile, readCorpus } from './corpus-files.ts'
import type { LineWorker } from './line-worker.ts'
import { type CorpusCounts, compared, named, type Scores } from './measures.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const SCORE_MS_MAX = 300_000
/** For one corpus; a tool that needs longer is left out of it. */
const CORPUS_MS_MAX = 120_000

async function score(args: readonly string[]): Promise<Scores> {
  const { stdout } = await run(process.execPath, ['src/main.ts', 'redact', 'score', '--json', ...args], {
    cwd: root,
    timeout: SCORE_MS_MAX,
    maxBuffer: 2 ** 27,
  })
  const { corpora } = JSON.parse(stdout) as { corpora: CorpusCounts[] }
  return new Map(corpora.map((counts) => [counts.corpus, counts]))
}

export const scoreSallyport = (part: CorpusPart, preset: 'standard' | 'strict'): Promise<Scores> =>
  score(['--preset', preset, ...[...compared, ...named].map((name) => corpusFile(part, name))])

/** Lets a peer mask the corpora, one request a corpus, and has the result scored. */
export async function scorePeer(
  worker: LineWorker,
  part: CorpusPart,
  progress: (text: string) => void,
): Promise<Scores> {
  const lines: string[] = []
  const done: string[] = []
  for (const name of compared) {
    const rows = readCorpus(part, name)
    try {
      const texts = rows.map(({ text }) => text)
      const { rows: made } = await worker.ask<{ rows: object[] }>({ op: 'mask', texts }, CORPUS_MS_MAX)
      lines.push(...made.map((row, index) => JSON.stringify({ ...row, id: rows[index]?.id })))
      done.push(corpusFile(part, name))
    } catch (error) {
      progress(`${name}: left out, ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redaction-'))
  try {
    const file = join(folder, 'findings.jsonl')
    writeFileSync(file, lines.join('\n'))
    return done.length === 0 ? new Map() : await score(['--findings', file, ...done])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
