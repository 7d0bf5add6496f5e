import { strict as assert } from 'node:assert'
import OpenAI from 'openai'
import { systemClock } from '../../../src/clock.ts'
import { type Bench, lastEnding, question } from '../bench.ts'
import { until } from '../command.ts'

const messages = question('Write a long story.')

/**
 * llama-server looks whether the caller of a reply in one piece, or of a call that waits, is still there only after a
 * second in which none of its callers got anything; a look at its metrics counts. So it is left alone that long.
 */
const QUIET_MS = 1_500
const STOP_TIMEOUT_MS = 30_000

/** A caller who leaves stops the model server's work, in every phase, and is charged what was metered. */
export async function abortChecks(bench: Bench): Promise<void> {
  const { section } = bench
  await section.check('npm client: abort in a stream frees the server', () => inStream(bench))
  await section.check('npm client: abort of a reply in one piece frees the server', () => inWhole(bench))
}

/** These need a server with four slots. */
export async function queueChecks(bench: Bench): Promise<void> {
  const { section } = bench
  await section.check('abort in the queue of the server hangs up on the server', () => inQueue(bench))
  await section.check('an aborted stream gives its in-flight slot back', () => slotsReturned(bench))
}

const call = ({ model, longTokens, endless }: Bench) => ({
  model,
  messages,
  max_tokens: longTokens,
  logit_bias: endless,
})

const idle = ({ server }: Bench, intervalMs: number): Promise<number> =>
  until('the server is idle', async () => (await server.load()).running === 0, {
    intervalMs,
    timeoutMs: STOP_TIMEOUT_MS,
  })

/** Resolves with the milliseconds until the gateway holds fewer connections to the server than it did. */
const hungUp = ({ front, server }: Bench, connections: number): Promise<number> =>
  until('the gateway hung up on the server', () => openConnections({ front, server }) < connections)

const openConnections = ({ front, server }: Pick<Bench, 'front' | 'server'>): number =>
  front.connectionsTo(Number(new URL(server.origin).port))

async function inStream(bench: Bench): Promise<string> {
  const { front, server, longTokens } = bench
  const before = await server.generated()
  const stream = await front.openai().chat.completions.create({ ...call(bench), stream: true })
  let chunks = 0
  for await (const _ of stream) {
    chunks += 1
    if (chunks === 5) stream.controller.abort()
  }
  const ms = await idle(bench, 20)
  const ending = await lastEnding(front)
  assert.equal(ending.outcome, 'client_abort')
  assert.ok((ending.output_tokens ?? 0) > 0, 'nothing was charged')
  const generated = (await server.generated()) - before
  assert.ok(generated < longTokens, 'the server went on to the end')
  return `idle after ${ms} ms, ${generated} of ${longTokens} generated, ${ending.output_tokens} charged`
}

async function inWhole(bench: Bench): Promise<string> {
  const { front, server, longTokens } = bench
  const before = await server.generated()
  const controller = new AbortController()
  const reply = front.openai().chat.completions.create(call(bench), { signal: controller.signal })
  const refused = assert.rejects(reply, OpenAI.APIUserAbortError)
  await until('the server works', async () => (await server.load()).running > 0)
  const connections = openConnections(bench)
  controller.abort()
  await refused
  const ms = await hungUp(bench, connections)
  assert.equal((await lastEnding(front)).outcome, 'client_abort')
  await systemClock.sleep(QUIET_MS)
  await idle(bench, QUIET_MS)
  const generated = (await server.generated()) - before
  assert.ok(generated < longTokens, 'the server went on to the end')
  return `hung up after ${ms} ms, ${generated} of ${longTokens} generated`
}

async function inQueue(bench: Bench): Promise<string> {
  const { front, server } = bench
  const openai = front.openai()
  const controllers = Array.from({ length: 5 }, () => new AbortController())
  const begin = (controller: AbortController) =>
    openai.chat.completions.create({ ...call(bench), stream: true }, { signal: controller.signal })
  const queued = controllers[4] as AbortController
  try {
    const busy = await Promise.all(controllers.slice(0, 4).map(begin))
    assert.equal((await server.load()).running, busy.length)
    const waiting = assert.rejects(begin(queued), OpenAI.APIUserAbortError)
    await until('one waits', async () => (await server.load()).waiting === 1)
    const connections = openConnections(bench)
    queued.abort()
    await waiting
    const ms = await hungUp(bench, connections)
    await until('its ending is recorded', () =>
      front.audit().some(({ outcome, output_tokens: tokens }) => outcome === 'client_abort' && !tokens),
    )
    return `hung up after ${ms} ms`
  } finally {
    for (const controller of controllers) controller.abort()
    await idle(bench, QUIET_MS)
  }
}

async function slotsReturned(bench: Bench): Promise<string> {
  const openai = bench.front.openai('narrow')
  const begin = () => openai.chat.completions.create({ ...call(bench), stream: true })
  for (let round = 0; round < 3; round++) {
    const streams = [await begin(), await begin()]
    await assert.rejects(begin(), OpenAI.RateLimitError)
    for (const stream of streams) stream.controller.abort()
    await idle(bench, 20)
    await bench.front.settled()
  }
  return '3 rounds of 2 streams, a third refused each time'
}
