import { parseArgs } from 'node:util'

export interface LatencyOptions {
  readonly json: boolean
  readonly rounds: number
  /** Of each measurement of each side. */
  readonly seconds: number
  /** Calls with the long prompt, each round and side. */
  readonly prompts: number
  /** Requests a second; `undefined`: half of what the knee is. */
  readonly rate: number | undefined
  /** Tokens a second over all streams; `undefined`: half of what the knee is. */
  readonly tokenRate: number | undefined
  readonly stepSeconds: number
  readonly seed: number
}

export const help = `What Sallyport adds to the time that callers wait, beside a bare relay and the direct way, in one run.

  npm run bench:latency
  npm run bench:latency -- --rounds 5 --seconds 10 --json > latency.json
  npm run bench:latency -- --rate 200 --token-rate 1000     # no search for the knee

  --rounds N         rounds, each side in turn (3)
  --seconds N        of each measurement of a side (4)
  --prompts N        calls with a 500 KB prompt, each round and side (5)
  --rate N           requests a second instead of half the knee's
  --token-rate N     tokens a second, of all streams together, instead of half the knee's
  --step-seconds N   of each step of the search for the knee (2)
  --seed N           of the arrivals (1)
  --json             for machines

Ends with 1 when a bar is missed. docs/benchmarks/latency.md says what is measured and how.
`

const text = { type: 'string' } as const

/** Reads the command line. Throws an Error whose message names the flag. */
export function parseLatencyOptions(args: readonly string[]): LatencyOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ rounds: text, seconds: text, prompts: text, rate: text, 'token-rate': text },
      ...{ 'step-seconds': text, seed: text },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const number = (flag: Exclude<keyof typeof values, 'json' | 'help'>, min: number, max: number) => {
    const given = values[flag]
    if (given === undefined) return undefined
    const value = Number(given)
    if (given.trim() === '' || !(value >= min && value <= max))
      throw new Error(`--${flag} needs a number from ${min} to ${max}`)
    return value
  }
  return {
    json: values.json,
    rounds: Math.floor(number('rounds', 1, 50) ?? 3),
    seconds: number('seconds', 0.5, 120) ?? 4,
    prompts: Math.floor(number('prompts', 1, 200) ?? 5),
    rate: number('rate', 1, 20_000),
    tokenRate: number('token-rate', 1, 200_000),
    stepSeconds: number('step-seconds', 0.5, 60) ?? 2,
    seed: Math.floor(number('seed', 0, 2 ** 31) ?? 1),
  }
}
