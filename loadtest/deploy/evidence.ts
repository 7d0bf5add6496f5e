// What the audit folders say afterwards: the project's own verifier on the chain, and for each admitted request one ending.
import { execFile } from 'node:child_process'
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Place, root } from './places.ts'

export interface Evidence {
  readonly name: string
  /** What `sallyport audit verify` says of the chain. */
  readonly intact: boolean
  readonly records: number
  readonly admitted: number
  /** Admitted, and never ended. */
  readonly unended: number
  /** Ended more than once. */
  readonly endedTwice: number
  /** Ids of the exchanges that ended. */
  readonly ids: ReadonlySet<string>
  /** How often each outcome was recorded. */
  readonly outcomes: Readonly<Record<string, number>>
}

interface AuditRecord {
  readonly event: string
  readonly request_id?: string
  readonly outcome?: string
}

/** Reads the audit folder of a gateway that has ended. */
export async function evidenceOf({ name, folder }: Place): Promise<Evidence> {
  const directory = join(folder, 'audit')
  const admitted = new Set<string>()
  const ids = new Set<string>()
  const outcomes: Record<string, number> = {}
  let records = 0
  let endedTwice = 0
  for await (const { event, request_id: id = '', outcome = '' } of recordsIn(directory)) {
    records += 1
    if (event === 'exchange.admitted') admitted.add(id)
    if (event !== 'exchange.ended') continue
    if (ids.has(id)) endedTwice += 1
    ids.add(id)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  const unended = [...admitted].filter((id) => !ids.has(id)).length
  const intact = await isIntact(directory)
  return { name, intact, records, admitted: admitted.size, unended, endedTwice, ids, outcomes }
}

async function* recordsIn(directory: string): AsyncGenerator<AuditRecord> {
  for (const file of readdirSync(directory)
    .filter((each) => each.endsWith('.jsonl'))
    .sort()) {
    const lines = createInterface({
      input: createReadStream(join(directory, file)),
      crlfDelay: Number.POSITIVE_INFINITY,
    })
    for await (const line of lines) if (line !== '') yield JSON.parse(line) as AuditRecord
  }
}

const isIntact = (directory: string): Promise<boolean> =>
  promisify(execFile)(process.execPath, ['src/main.ts', 'audit', 'verify', directory], { cwd: root }).then(
    () => true,
    () => false,
  )

/** Whether nothing is missing: the chain is whole, and each admission has one ending. */
export const isWhole = ({ intact, unended, endedTwice }: Evidence): boolean =>
  intact && unended === 0 && endedTwice === 0
