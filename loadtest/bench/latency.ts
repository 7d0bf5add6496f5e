// What Sallyport adds to the time that callers wait, with everything on, at half the rate that it bears: latency of 1 KB
// requests, time to the first token, gaps between tokens, and a prompt of 500 KB with what it does to the event loop. Stamps
// at the model server and at the client, of one clock; beside it a bare relay and the direct way, round by round.
//   npm run bench:latency            --help for its options
import { withEnding } from '../driver/ending.ts'
import type { Round } from './latency/figures.ts'
import { findKnee, type Kind } from './latency/knee.ts'
import { type Measured, measurePrompts, measureStreams, measureWhole, warmUp } from './latency/measure.ts'
import { help, type LatencyOptions, parseLatencyOptions } from './latency/options.ts'
import { type LatencyRun, resultOf, textOf } from './latency/report.ts'
import { type Stand, startStand, type Way, ways } from './latency/stand.ts'

const WARM_UP_CALLS = 640
const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(args: readonly string[]): Promise<void> {
  const options = parseLatencyOptions(args)
  if (options === 'help') return void process.stdout.write(help)
  await withEnding(async (ending, folder) => {
    say('starting the model server, the gateway and the bare relay')
    const stand = await startStand(ending, folder)
    const result = resultOf(await measure(stand, options))
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : textOf(result))
    if (!result.isMet) process.exitCode = 1
  })
}

async function measure(stand: Stand, options: LatencyOptions): Promise<LatencyRun> {
  for (const way of ways) await warmUp(stand, way, WARM_UP_CALLS)
  const knees: Record<'sallyport' | 'bare', Partial<Record<Kind, Awaited<ReturnType<typeof findKnee>>>>> = {
    sallyport: {},
    bare: {},
  }
  const half = async (kind: Kind, given: number | undefined): Promise<number> => {
    if (given !== undefined) return given
    for (const way of ['sallyport', 'bare'] as const) {
      say(`looking for the knee of ${way}: ${kind}`)
      knees[way][kind] = await findKnee(stand, way, kind, options.stepSeconds)
    }
    return (knees.sallyport[kind]?.at.perSecond ?? Number.NaN) / 2
  }
  const rate = await half('whole', options.rate)
  const tokenRate = await half('streams', options.tokenRate)
  const rounds: Round[] = []
  const held: Measured[] = []
  for (let n = 0; n < options.rounds; n += 1) {
    say(
      `round ${n + 1} of ${options.rounds}: ${rate.toFixed(0)} requests/s, ${tokenRate.toFixed(0)} tokens/s`,
    )
    const load = { seconds: options.seconds, seed: options.seed + n }
    const streams = { ...load, perSecond: tokenRate }
    rounds.push({
      whole: await eachWay((way) => measureWhole(stand, way, { ...load, perSecond: rate })),
      streams: await eachWay((way) => measureStreams(stand, way, streams, 'trailing')),
      prompts: await eachWay((way) => measurePrompts(stand, way, options.prompts)),
    })
    held.push(await measureStreams(stand, 'sallyport', streams, 'leading'))
  }
  return { knees, rate, tokenRate, rounds, held }
}

async function eachWay(one: (way: Way) => Promise<Measured>): Promise<Record<Way, Measured>> {
  return { direct: await one('direct'), bare: await one('bare'), sallyport: await one('sallyport') }
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`bench:latency: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  })
}
