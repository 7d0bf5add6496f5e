/** The command line of `npm run bench:peers`. */
import { parseArgs } from 'node:util'
import { loads } from './loads.ts'

export interface Options {
  readonly act: 'help' | 'list' | 'install' | 'run'
  /** Names of rows and loads; undefined for all. */
  readonly rows: readonly string[] | undefined
  readonly loads: readonly string[]
  /** Arrivals a second, or `half` of what a row bears. */
  readonly rates: readonly string[]
  readonly rounds: number
  readonly quick: boolean
  /** Files to write; `-` is the standard output. */
  readonly json: string | undefined
  readonly markdown: string | undefined
  readonly plot: string | undefined
  /** Results of an earlier run, to write them anew. */
  readonly from: string | undefined
}

const ROUNDS_MAX = 20
const RATE_MAX = 5_000
const loadNames = loads.map(({ name }) => name)

export const help = (rowNames: readonly string[]): string => `What gateways cost, side by side.

  npm run bench:peers -- --install                          peers that npm, pip and go bring, into a cache
  npm run bench:peers -- --json docs/benchmarks/peers.json --markdown docs/benchmarks/peers.md --plot docs/benchmarks/peers.svg
  npm run bench:peers -- --quick --rows bare,sallyport      a look, in half a minute

  --rows A,B        ${rowNames.join(', ')}
  --loads A,B       ${loadNames.join(', ')}
  --rates A,B       latency at so many calls a second, 1 to ${RATE_MAX}; "half": of what the row bears; "none" (100,half)
  --rounds N        1 to ${ROUNDS_MAX}: rows take turns, medians count (3; 1 with --quick)
  --quick           a quarter of the times: to see that it works, not for figures
  --json FILE       all that was measured, with versions, commands and configuration files
  --markdown FILE   tables; between <!-- peers: begin --> and <!-- peers: end --> where a file has these lines
  --plot FILE       SVG
  --from FILE       no run: tables and plot of an earlier --json
  --list            which rows can be measured here, and why others cannot
  --install         install into .bench/peers what is missing

Without a file the tables go to the standard output; "-" is the standard output too. Linux only: CPU time is read from /proc.
`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

/** Reads it. Throws an Error whose message names the option. */
export function parseOptions(args: readonly string[], rowNames: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: text,
      loads: text,
      rates: text,
      rounds: text,
      json: text,
      markdown: text,
      plot: text,
      from: text,
      quick: flag,
      list: flag,
      install: flag,
      help: { ...flag, short: 'h' },
    },
  })
  const { quick, json, markdown, plot, from } = values
  return {
    act: values.help ? 'help' : values.list ? 'list' : values.install ? 'install' : 'run',
    rows: namesIn('rows', values.rows, rowNames),
    loads: namesIn('loads', values.loads, loadNames) ?? loadNames,
    rates: ratesIn(values.rates ?? '100,half'),
    rounds: wholeIn('rounds', values.rounds ?? (quick ? '1' : '3'), ROUNDS_MAX),
    ...{ quick, json, markdown, plot, from },
  }
}

function namesIn(
  option: string,
  given: string | undefined,
  known: readonly string[],
): readonly string[] | undefined {
  if (given === undefined) return undefined
  const names = given.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`--${option}: "${unknown}" is none of ${known.join(', ')}`)
  return names
}

function ratesIn(given: string): readonly string[] {
  if (given === 'none') return []
  const rates = given.split(',')
  for (const rate of rates) if (rate !== 'half') wholeIn('rates', rate, RATE_MAX)
  return rates
}

function wholeIn(option: string, given: string, most: number): number {
  const value = Number(given)
  if (!/^\d+$/.test(given) || value < 1 || value > most) {
    throw new Error(`--${option} needs a whole number from 1 to ${most}, not "${given}"`)
  }
  return value
}
