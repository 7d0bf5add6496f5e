// The load generator: a closed loop for costs, and arrivals at a rate for latency.
import { setTimeout as delay } from 'node:timers/promises'
import { type Dispatcher, request } from 'undici'
import type { Load } from './loads.ts'

export interface Target {
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly agent: Dispatcher
}

export interface Outcome {
  readonly completed: number
  readonly failures: number
  /** The first failure in words. */
  readonly failure?: string
}

/** One call; undefined when the answer was right, else what was wrong with it. Never throws. */
export async function call({ origin, headers, agent }: Target, load: Load): Promise<string | undefined> {
  try {
    const answer = await request(origin + load.path, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json', ...headers },
      body: load.body,
    })
    const reply = await answer.body.text()
    if (answer.statusCode === 200 && load.isRight(reply)) return undefined
    return `${answer.statusCode}: ${reply.slice(0, 300)}`
  } catch (error) {
    return String(error).slice(0, 300)
  }
}

/** Opens the connections that the load will use: handshakes are not what is measured. */
export async function connect(target: Target, load: Load, concurrency: number): Promise<void> {
  await Promise.all(Array.from({ length: concurrency }, () => call(target, load)))
}

/** As many at a time as the load says; new ones until the time is up, at least one each. */
export async function closedLoop(target: Target, load: Load, budgetMs: number): Promise<Outcome> {
  const until = performance.now() + budgetMs
  let completed = 0
  const wrong: string[] = []
  const caller = async (): Promise<void> => {
    do {
      const failure = await call(target, load)
      if (failure === undefined) completed += 1
      else wrong.push(failure)
    } while (performance.now() < until)
  }
  await Promise.all(Array.from({ length: load.concurrency }, caller))
  return outcome(completed, wrong)
}

function outcome(completed: number, wrong: readonly string[]): Outcome {
  const [failure] = wrong
  return { completed, failures: wrong.length, ...(failure === undefined ? {} : { failure }) }
}

export interface Arrivals extends Outcome {
  /** Arrivals that were not sent because too many were on their way. */
  readonly dropped: number
  /** Milliseconds from the request to the last byte of the reply. */
  readonly latenciesMs: readonly number[]
}

const IN_FLIGHT_MAX = 400

/** Sends `perSecond` calls a second, whatever becomes of those before (open model). */
export async function arrivals(
  target: Target,
  load: Load,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Arrivals> {
  const latenciesMs: number[] = []
  const wrong: string[] = []
  let [dropped, inFlight] = [0, 0]
  const send = async (): Promise<void> => {
    if (inFlight >= IN_FLIGHT_MAX) {
      dropped += 1
      return
    }
    inFlight += 1
    const from = performance.now()
    const failure = await call(target, load)
    if (failure === undefined) latenciesMs.push(performance.now() - from)
    else wrong.push(failure)
    inFlight -= 1
  }
  const all: Promise<void>[] = []
  const start = performance.now()
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const wait = start + (index * 1_000) / perSecond - performance.now()
    if (wait > 0) await delay(wait)
    all.push(send())
  }
  await Promise.all(all)
  return { ...outcome(latenciesMs.length, wrong), dropped, latenciesMs }
}
