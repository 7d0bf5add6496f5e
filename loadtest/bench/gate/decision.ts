// Whether what a request takes has grown: the counts of a run beside those of the baseline.

/** A count that has grown by more percent than this fails the gate. */
export const BOUND_PERCENT = 15
/** CPU time is no count: how busy the machine is shows in it, also as a ratio. docs/benchmarks/gate.md has the measurement. */
export const CPU_BOUND_PERCENT = 150

export type Values = Readonly<Record<string, number>>

export interface Baseline {
  /** Node.js that the counts were taken with: another allocates differently. */
  readonly node: string
  readonly counts: Values
}

export type Verdict = 'ok' | 'less' | 'GREW' | 'NOT IN THE BASELINE' | 'NOT MEASURED'

export interface Row {
  readonly count: string
  readonly baseline: number | undefined
  readonly measured: number | undefined
  readonly changePercent: number | undefined
  readonly boundPercent: number
  readonly verdict: Verdict
}

export interface Decision {
  readonly rows: readonly Row[]
  readonly passes: boolean
  /** One line for each row that fails, and what to do. */
  readonly messages: readonly string[]
}

const boundOf = (count: string): number => (count.endsWith('.cpuRatio') ? CPU_BOUND_PERCENT : BOUND_PERCENT)

/** `node`: the version that runs. */
export function decide(baseline: Baseline | undefined, measured: Values, node: string): Decision {
  if (baseline === undefined) {
    const message = 'there is no baseline: take one with npm run bench:gate -- --update, and commit it'
    return { rows: rowsOf({}, measured), passes: false, messages: [message] }
  }
  const rows = rowsOf(baseline.counts, measured)
  const failed = rows.filter(({ verdict }) => verdict !== 'ok' && verdict !== 'less')
  const messages = failed.map(messageOf)
  if (failed.length > 0)
    messages.push('If that is meant: npm run bench:gate -- --update, and say why in the commit.')
  if (failed.length > 0 && baseline.node !== node)
    messages.push(`The baseline was taken with Node.js ${baseline.node}, this is ${node}.`)
  return { rows, passes: failed.length === 0, messages }
}

function rowsOf(baseline: Values, measured: Values): Row[] {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(measured)])]
  return names.map((count) => rowOf(count, baseline[count], measured[count]))
}

function rowOf(count: string, baseline: number | undefined, measured: number | undefined): Row {
  const row = { count, baseline, measured, boundPercent: boundOf(count), changePercent: undefined }
  if (baseline === undefined) return { ...row, verdict: 'NOT IN THE BASELINE' }
  // A count that is no number was not measured: it must not pass for a small one.
  if (measured === undefined || !Number.isFinite(measured)) return { ...row, verdict: 'NOT MEASURED' }
  const changePercent = (measured / baseline - 1) * 100
  return { ...row, changePercent, verdict: verdictOf(changePercent, row.boundPercent) }
}

function verdictOf(changePercent: number, boundPercent: number): Verdict {
  // Written so that NaN, of a baseline that is 0, does not pass.
  if (!(changePercent <= boundPercent)) return 'GREW'
  return changePercent < -boundPercent ? 'less' : 'ok'
}

function messageOf({ count, baseline, measured, changePercent, boundPercent, verdict }: Row): string {
  if (verdict === 'NOT IN THE BASELINE') return `${count}: is not in the baseline`
  if (verdict === 'NOT MEASURED') return `${count}: is in the baseline and was not measured`
  const change = `${show(baseline)} -> ${show(measured)}`
  return `${count}: grew by ${changePercent?.toFixed(1)} % (${change}), at most ${boundPercent} % is allowed`
}

const show = (value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value)) return '-'
  return value < 100 ? value.toFixed(2) : value.toFixed(0)
}

/** The rows as a table; `spreads`: percent over the rounds of the run. */
export function tableOf(rows: readonly Row[], spreads: Values): string {
  const heads = ['baseline', 'now', 'change %', 'bound %', 'spread %']
  const line = (name: string, cells: readonly string[], end: string): string =>
    `${name.padEnd(26)}${cells.map((cell) => cell.padStart(11)).join('')}  ${end}`.trimEnd()
  const signed = (percent: number | undefined): string =>
    percent === undefined ? '-' : `${percent >= 0 ? '+' : ''}${percent.toFixed(1)}`
  const body = rows.map(({ count, baseline, measured, changePercent, boundPercent, verdict }) =>
    line(
      count,
      [show(baseline), show(measured), signed(changePercent), String(boundPercent), show(spreads[count])],
      verdict,
    ),
  )
  return `${[line('', heads, ''), ...body].join('\n')}\n`
}
