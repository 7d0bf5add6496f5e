import { reasonOf, say } from './progress.ts'

/** What one model server behind the gateway was found to do. */
export class Section {
  readonly server: string
  readonly version: string
  readonly model: string
  passed = 0
  readonly failures: string[] = []
  /** Output tokens that the gateway charged. */
  tokens = 0
  /** Milliseconds to the first token, through the gateway and straight from the server. */
  firstToken: { readonly gatewayMs: number; readonly directMs: number } | undefined

  constructor(server: string, version: string, model: string) {
    this.server = server
    this.version = version
    this.model = model
    say(`\n${server} ${version}, ${model}`)
  }

  /** Runs one check; what it returns is shown beside its name. */
  async check(name: string, check: () => Promise<string | undefined>): Promise<void> {
    try {
      const note = await check()
      this.passed += 1
      say(`  ok      ${name}${note === undefined ? '' : `  (${note})`}`)
    } catch (error) {
      this.fail(name, reasonOf(error))
    }
  }

  pass(name: string, note: string): void {
    this.passed += 1
    say(`  ok      ${name}${note === '' ? '' : `  (${note})`}`)
  }

  fail(name: string, reason: string): void {
    this.failures.push(`${this.server}, ${this.model}: ${name}: ${reason}`)
    say(`  FAILED  ${name}: ${reason}`)
  }
}

export interface Outcome {
  readonly sections: readonly Section[]
  /** What could not be run, and why. */
  readonly notRun: readonly string[]
}

/** The table, the failures again, what was not run, and the closing line. */
export function printOutcome({ sections, notRun }: Outcome): { readonly failed: number } {
  const shown = (ms: number | undefined): string => (ms === undefined ? '-' : ms.toFixed(0))
  const rows = sections.map((section) => [
    section.server,
    section.version,
    section.model,
    String(section.passed),
    String(section.failures.length),
    String(section.tokens),
    `${shown(section.firstToken?.gatewayMs)} (${shown(section.firstToken?.directMs)})`,
  ])
  const head = [
    'server',
    'version',
    'model',
    'passed',
    'failed',
    'tokens charged',
    'first token ms (without gateway)',
  ]
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  out('')
  for (const line of table([head, ...rows])) out(line)
  const failures = sections.flatMap((section) => section.failures)
  for (const failure of failures) out(`FAILED  ${failure}`)
  for (const reason of notRun) out(`not run: ${reason}`)
  const passed = sections.reduce((sum, section) => sum + section.passed, 0)
  out(`\n${passed} passed, ${failures.length} failed`)
  return { failed: failures.length }
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
