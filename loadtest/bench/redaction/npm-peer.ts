// Runs an npm redaction package behind the line protocol of line-worker.ts.
//   node loadtest/bench/redaction/npm-peer.ts FOLDER PACKAGE
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cpuMs, jsonLine } from './worker-side.ts'

const [folder, name] = process.argv.slice(2) as [string, string]
const load = createRequire(join(folder, 'package.json'))

type Mask = (text: string) => string | Promise<string>
interface Redactor {
  redact(text: string): string
}
interface OpenRedactor {
  detect(text: string): Promise<{ redacted: string }>
}

const makers: Readonly<Record<string, () => Mask>> = {
  openredaction: () => {
    const { OpenRedaction } = load('openredaction') as { OpenRedaction: new () => OpenRedactor }
    const redactor = new OpenRedaction()
    return async (text) => (await redactor.detect(text)).redacted
  },
  'redact-pii': () => {
    const { SyncRedactor } = load('redact-pii') as { SyncRedactor: new () => Redactor }
    const redactor = new SyncRedactor()
    return (text) => redactor.redact(text)
  },
  '@redactpii/node': () => {
    const { Redactor } = load('@redactpii/node') as { Redactor: new () => Redactor }
    const redactor = new Redactor()
    return (text) => redactor.redact(text)
  },
}

const mask = makers[name]?.()
if (mask === undefined) throw new Error(`${name} is not a peer`)

for await (const line of createInterface({ input: process.stdin })) {
  const { op, texts } = JSON.parse(line) as { op: 'mask' | 'time'; texts: string[] }
  const masked: string[] = []
  const start = cpuMs()
  for (const text of texts) masked.push(await mask(text))
  const ms = cpuMs() - start
  const answer = op === 'mask' ? { rows: masked.map((text) => ({ masked: text })) } : { ms }
  process.stdout.write(jsonLine(answer))
}
