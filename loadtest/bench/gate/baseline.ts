import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Baseline, Values } from './decision.ts'

export const baselineFile = join(import.meta.dirname, '../gate-baseline.json')

/** `undefined` when there is none. Throws an Error when the file is not a baseline. */
export function readBaseline(file: string): Baseline | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const value: unknown = JSON.parse(text)
  if (!isBaseline(value))
    throw new Error(`${file} is no baseline: {"node": "...", "counts": {"name": number}}`)
  return value
}

export function writeBaseline(file: string, counts: Values, node: string): void {
  const rounded = Object.entries(counts).map(([name, value]) => [name, Number(value.toPrecision(4))])
  writeFileSync(file, `${JSON.stringify({ node, counts: Object.fromEntries(rounded) }, null, 2)}\n`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isBaseline(value: unknown): value is Baseline {
  if (!isObject(value) || typeof value['node'] !== 'string' || !isObject(value['counts'])) return false
  return Object.values(value['counts']).every((count) => typeof count === 'number' && count > 0)
}
