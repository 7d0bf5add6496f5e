// Ten times as many calls as the model servers can do, whether the gateway bears it or not: an open model, so callers come
// however long the others wait. First the peak (calls completed per second, closed loop, at rising concurrency), then the
// flood in two classes of priority, then quiet again. Real gateway, real TLS, simulated model servers with few places, so
// that they and not this machine's processors are what is short.
//   npm run bench:flood            --json for machines, --seconds N (20), --factor N (10), --connections N (8)
import { type Ending, withEnding } from './driver/ending.ts'
import { closedLoop, openModel } from './flood/arrivals.ts'
import { barsOf, figuresOf, type Measured, type Step, summary } from './flood/figures.ts'
import { connectAll, SERVERS, SLOTS, startGateway } from './flood/gateway.ts'
import { type FloodOptions, help, parseFloodOptions } from './flood/options.ts'
import { table } from './flood/table.ts'
import { untilQuiet, watched } from './flood/watch.ts'

const STEP_S = 10
const SLOTS_OF_ALL = SERVERS * SLOTS
const CALM = SLOTS_OF_ALL / 2
const RISING = [1, 1.5, 2].map((share) => share * SLOTS_OF_ALL)

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function measure(options: FloodOptions, ending: Ending, folder: string): Promise<Measured> {
  const { signal } = ending
  const gateway = await startGateway(folder, options.connectionsMax, ending)
  const loop = (concurrency: number) => closedLoop(gateway, { concurrency, seconds: STEP_S }, signal)
  const step = async (concurrency: number): Promise<Step> => {
    const taken = summary(await loop(concurrency), STEP_S)
    say(`${concurrency} at a time: ${taken.goodput.toFixed(1)} calls/s`)
    return { concurrency, ...taken }
  }
  await connectAll(gateway)
  await loop(SLOTS_OF_ALL)
  const sweep: [Step, ...Step[]] = [await step(CALM)]
  for (const concurrency of RISING) sweep.push(await step(concurrency))
  const peak = Math.max(...sweep.map(({ goodput }) => goodput))
  // Those that nobody used for so long are closed by now.
  await connectAll(gateway)
  const load = { perSecond: peak * options.factor, seconds: options.seconds }
  const flood = await watched(gateway.child, () => openModel(gateway, load, signal))
  const quietMs = await untilQuiet(gateway.probesPort)
  return { sweep, peak, flood, quietMs, after: summary(await loop(CALM), STEP_S) }
}

function report(measured: Measured, options: FloodOptions): void {
  const figures = figuresOf(measured, options)
  const bars = barsOf(figures, measured.flood.seen)
  const text = options.json ? `${JSON.stringify({ ...figures, bars }, null, 2)}\n` : table(figures, bars)
  process.stdout.write(text)
  if (Object.values(bars).includes(false)) process.exitCode = 1
}

const options = parseFloodOptions(process.argv.slice(2))
if (options === 'help') process.stdout.write(help)
else await withEnding(async (ending, folder) => report(await measure(options, ending, folder), options))
