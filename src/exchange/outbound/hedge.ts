import type { Hedge } from '../../upstream/routes.ts'
import type { HeldAnswer } from './attempt.ts'

/** Sends the call to one server, until its own signal ends that. `undefined`: there is no place for it. */
export type Racer = (signal: AbortSignal) => Promise<HeldAnswer> | undefined

/**
 * The first answer of two servers: the second is asked when the first is silent for `afterMs`.
 *
 * 1. At most one answer comes out; the other call is ended, also when its answer comes in the same moment.
 * 2. It fails when both have failed, or the first has before the second was asked, with what the first said.
 * 3. When the exchange ends, both end.
 */
export async function hedged(
  first: (signal: AbortSignal) => Promise<HeldAnswer>,
  second: Racer,
  { afterMs }: Pick<Hedge, 'afterMs'>,
  signal: AbortSignal,
): Promise<HeldAnswer> {
  const [one, other] = [new AbortController(), new AbortController()]
  const leading = first(AbortSignal.any([signal, one.signal]))
  if (await settlesWithin(leading, afterMs)) return await leading
  const following = signal.aborted ? undefined : second(AbortSignal.any([signal, other.signal]))
  if (following === undefined) return await leading
  return await race([
    { answer: leading, end: () => one.abort(new HedgeLost()) },
    { answer: following, end: () => other.abort(new HedgeLost()) },
  ])
}

/** The reason of the call that the other server answered first. */
class HedgeLost extends Error {
  constructor() {
    super('another server answered first')
    this.name = 'HedgeLost'
  }
}

interface Runner {
  readonly answer: Promise<HeldAnswer>
  end(): void
}

async function race(runners: readonly [Runner, Runner]): Promise<HeldAnswer> {
  const winner = await Promise.any(
    runners.map(async (runner) => ({ runner, answer: await runner.answer })),
  ).catch(async () => ({ runner: runners[0], answer: await runners[0].answer }))
  for (const loser of runners.filter((runner) => runner !== winner.runner)) {
    loser.end()
    // It may have come in first in the very same moment.
    loser.answer.then((answer) => answer[Symbol.asyncDispose]()).catch(() => {})
  }
  return winner.answer
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), ms)
  try {
    return await Promise.race([promise.then(settled, settled), late])
  } finally {
    clearTimeout(timer)
  }
}

const settled = (): true => true
