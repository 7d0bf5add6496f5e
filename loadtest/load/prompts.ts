// Lengths of prompts and replies from the Azure traces (loadtest/traces): tokens, no text.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** One call of a trace, in tokens. */
export interface Lengths {
  readonly trace: 'code' | 'conversation'
  readonly promptTokens: number
  readonly replyTokens: number
}

const folder = join(import.meta.dirname, '../traces')
const files = {
  code: 'AzureLLMInferenceTrace_code.csv.gz',
  conversation: 'AzureLLMInferenceTrace_conv.csv.gz',
} as const

/** Every n-th call of a trace, so that there are about `count`. */
export function lengthsOf(trace: Lengths['trace'], count: number): Lengths[] {
  const text = gunzipSync(readFileSync(join(folder, files[trace]))).toString('utf8')
  const [, ...rows] = text.trimEnd().split('\n')
  const step = Math.max(1, Math.floor(rows.length / count))
  return rows
    .filter((_, index) => index % step === 0)
    .map((row) => {
      const [, promptTokens, replyTokens] = row.split(',')
      return { trace, promptTokens: Number(promptTokens), replyTokens: Number(replyTokens) }
    })
}
