/** The results in Markdown. The same results give the same text. */
import { loads } from './loads.ts'
import type { MeasuredRow, Results } from './results.ts'
import {
  addedOf,
  against,
  failuresOf,
  kneeOf,
  middle,
  perCallMs,
  perEventUs,
  rssAfterMiB,
} from './summary.ts'

const BEGIN = '<!-- peers: begin -->'
const END = '<!-- peers: end -->'
const OURS = 'sallyport'
const FLOORS = ['bare', 'nginx']
/** Busier than this part of a core, one process is at its limit. */
const SATURATED = 0.85

/** The page with the tables in it: between its marks, or the tables alone where it has none. */
export function placed(page: string, text: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from === -1 || to < from) return text
  return `${page.slice(0, from + BEGIN.length)}\n${text}${page.slice(to)}`
}

export function tables(results: Results): string {
  const parts = [
    takenLine(results),
    rowsTable(results),
    ['### Gateway CPU', costTable(results)].join('\n\n'),
    ['### Sallyport with everything on, divided by each row', oursTable(results)].join('\n\n'),
    ['### At the knee, and memory', kneeTable(results)].join('\n\n'),
    ...latencyPart(results),
    ...absentPart(results),
    ...failedPart(results),
  ]
  return `${parts.join('\n\n')}\n`
}

function takenLine({ machine, options, taken }: Results): string {
  const rounds = options.rounds === 1 ? '1 round' : `${options.rounds} rounds`
  const quick = options.quick ? ' with `--quick`: **to see that it works, not for figures**' : ''
  return `${taken.slice(0, 10)}, ${machine.cores} cores of ${machine.cpu}, ${machine.kernel}, Node.js ${machine.node}, load average ${machine.loadAverage} before; ${rounds}${quick}.`
}

const rowsTable = (results: Results): string =>
  table(
    ['row', 'version', 'on', 'off'],
    results.rows.map(({ title, version, on, off }) => [title, version, on, off]),
    0,
  )

function costTable(results: Results): string {
  const other = loads.filter(({ name }) => name !== 'chat' && name !== 'knee')
  const heads = [
    'row',
    'ms a 1 KB request',
    ...FLOORS.map((floor) => `x ${floor}`),
    'µs an event',
    ...FLOORS.map((floor) => `x ${floor}`),
    ...other.map(({ name }) => `ms a call, ${name}`),
  ]
  const rows = results.rows.map(({ name, title }) => {
    const request = perCallMs(results, name, 'chat')
    const event = perEventUs(results, name)
    return [
      title,
      number(middle(request), 3),
      ...FLOORS.map((floor) => number(against(request, perCallMs(results, floor, 'chat')), 2)),
      number(middle(event), 1),
      ...FLOORS.map((floor) => number(against(event, perEventUs(results, floor)), 2)),
      ...other.map((load) => number(middle(perCallMs(results, name, load.name)), 2)),
    ]
  })
  return table(heads, rows)
}

function oursTable(results: Results): string {
  const heads = [
    'row',
    'CPU a 1 KB request',
    'CPU an event',
    'CPU a 500 KB prompt',
    'requests a core at the knee',
  ]
  const versus = ({ name, title }: MeasuredRow): string[] => [
    title,
    number(against(perCallMs(results, OURS, 'chat'), perCallMs(results, name, 'chat')), 2),
    number(against(perEventUs(results, OURS), perEventUs(results, name)), 2),
    number(against(perCallMs(results, OURS, 'prompt-500k'), perCallMs(results, name, 'prompt-500k')), 2),
    number(against(kneeOf(results, OURS).perCpuSecond, kneeOf(results, name).perCpuSecond), 2),
  ]
  return table(heads, results.rows.filter(({ name }) => name !== OURS).map(versus))
}

function kneeTable(results: Results): string {
  const heads = ['row', 'requests a CPU second', 'requests a second', 'limit', 'MiB idle', 'MiB after']
  const rows = results.rows.map(({ name, title, idleRssMiB }) => {
    const { perCpuSecond, perSecond, busy } = kneeOf(results, name)
    return [
      title,
      number(middle(perCpuSecond), 0),
      number(middle(perSecond), 0),
      limitOf(busy),
      number(idleRssMiB, 0),
      number(rssAfterMiB(results, name), 0),
    ]
  })
  return table(heads, rows)
}

/** Who was busy all the time: only where it is the gateway did it take all that it could. */
function limitOf(busy: {
  readonly gateway: number
  readonly generator: number
  readonly model: number
}): string {
  const shown = (share: number): string => `${Math.round(share * 100)} %`
  if (Number.isNaN(busy.gateway)) return '-'
  if (busy.gateway >= SATURATED) return `gateway (${shown(busy.gateway)})`
  const [who, share] = busy.generator > busy.model ? ['generator', busy.generator] : ['model', busy.model]
  return `${share >= SATURATED ? who : 'the machine'} (gateway ${shown(busy.gateway)})`
}

function latencyPart(results: Results): string[] {
  if (results.latencies.length === 0) return []
  const rates = results.options.rates.split(',')
  const heads = ['row', ...rates.flatMap((rate) => [rateHead(rate), 'p50 ms', 'p99 ms', 'lost'])]
  const rows = results.rows.map(({ name, title }) => [
    title,
    ...rates.flatMap((rate) => {
      const added = addedOf(results, name, rate)
      if (added === undefined) return ['-', '-', '-', '-']
      const { perSecond, p50Ms, p99Ms, lost } = added
      return [String(perSecond), number(p50Ms, 2), number(p99Ms, 2), String(lost)]
    }),
  ])
  return [['### Latency added to a 1 KB request', table(heads, rows)].join('\n\n')]
}

const rateHead = (rate: string): string => (rate === 'half' ? 'half of the knee: a second' : 'a second')

function absentPart({ absent }: Results): string[] {
  if (absent.length === 0) return []
  const lines = absent.map(({ title, reason }) => `* ${title}: ${reason.split('\n')[0]}`)
  return [['### Not measured', lines.join('\n')].join('\n\n')]
}

function failedPart(results: Results): string[] {
  const failed = failuresOf(results)
  if (failed.length === 0) return []
  const lines = failed.map(
    ({ row, load, round, failures, failure }) =>
      `* ${row}, ${load}, round ${round}: ${failures} calls failed (${oneLine(failure ?? '')}); the round does not count`,
  )
  return [['### Failed', lines.join('\n')].join('\n\n')]
}

const oneLine = (text: string): string => text.replaceAll(/[\s`|]+/g, ' ').slice(0, 120)

export const number = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '-'

/** Text to the left, numbers to the right; `numbersFrom` is the first column of numbers, 0 for none. */
function table(heads: readonly string[], rows: readonly (readonly string[])[], numbersFrom = 1): string {
  const rule = heads.map((_, column) => (numbersFrom > 0 && column >= numbersFrom ? '---:' : '---'))
  return [heads, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
