import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { PromptBlocks } from '../../src/upstream/balance/prompt-blocks.ts'
import type { Arrival } from './simulation.ts'

const path = join(import.meta.dirname, '../../loadtest/traces/mooncake_conversation_trace.jsonl.gz')

interface TraceRow {
  readonly timestamp: number
  readonly input_length: number
  readonly output_length: number
  readonly hash_ids: readonly number[]
}

/** A block of 512 tokens as text. */
const blockChars = 2_048
const textOf = (block: number): string => `${block} `.padEnd(blockChars, `${block}-`)

/**
 * The calls of the trace. It holds no texts, so each block gets one of its own, and prompts go through the hashing that
 * the gateway does. All are of one tenant and begin with the same block.
 */
export function mooncakeArrivals(rowsMax = Number.POSITIVE_INFINITY): Arrival[] {
  const blocks = new PromptBlocks(Buffer.from('mooncake'))
  const lines = gunzipSync(readFileSync(path)).toString().trim().split('\n')
  return lines.slice(0, rowsMax).map((line) => {
    const row: TraceRow = JSON.parse(line)
    return {
      atMs: row.timestamp,
      inputTokens: row.input_length,
      outputTokens: row.output_length,
      blocks: row.hash_ids,
      prefix: blocks.of(['acme', 'llama'], [row.hash_ids.map(textOf).join('')]),
    }
  })
}
