// What becomes of slots and tokens in other gateways when an exchange does not end well, by their own issue trackers. A slot
// that leaks here is seen at once: the limit is one, and the sum of all endings is compared with what is left.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { callerOf } from '../support/flow.ts'
import { remaining, startMetered } from '../support/metered.ts'
import { until } from '../support/stack.ts'

let script: Script | undefined
const metered = await startMetered(
  {
    leaving: { counts: 'in_flight', amount: 1 },
    'leaving-tokens': {
      counts: 'total_tokens',
      per: 'month',
      amount: 100_000,
      where: { tenants: ['leaving'] },
    },
    counted: { counts: 'output_tokens', per: 'month', amount: 10_000 },
    'counted-input': {
      counts: 'input_tokens',
      per: 'month',
      amount: 10_000,
      where: { tenants: ['counted'] },
    },
  },
  {
    model: { script: () => script },
    gateway: {
      traffic: {
        bounds: { headersTimeoutMs: 3_000, bodyTimeoutMs: 3_000 },
        stream: {
          totalTimeoutMs: 3_000,
          firstByteTimeoutMs: 3_000,
          idleTimeoutMs: 3_000,
          slowReaderTimeoutMs: 3_000,
        },
      },
    },
  },
)
t.teardown(() => metered.stop())
const { stack, caller, as, idle, sample } = metered
const { stats } = stack.model
t.afterEach(() => {
  script = undefined
})

const stalled: Script = { end: { after: 'nothing', how: 'stall' } }
const talking: Script = { content: ['one ', 'two ', 'three '], end: { after: 4, how: 'stall' } }

/** A caller who leaves as soon as the model server is at work, or has said something. */
async function leave(tenant: string, fields: object, after: 'sent' | 'text'): Promise<void> {
  const leaving = callerOf(stack)
  const before = stats.requests
  const call = leaving.stream({ ...fields }, as(tenant)).then((stream) => stream)
  call.catch(() => {})
  await until(() => stats.requests > before && stats.running === 1)
  if (after === 'text') {
    const stream = await call
    await until(() => stream.text().includes('three'))
  }
  await leaving.close()
  await until(() => stats.running === 0)
  await idle()
}

const endings: Readonly<Record<string, () => Promise<unknown>>> = {
  'leaves before the first token of a stream (LiteLLM 13774, 30223)': () => {
    script = stalled
    return leave('leaving', {}, 'sent')
  },
  'leaves before a whole reply (LiteLLM 20256)': () => {
    script = stalled
    return leave('leaving', { stream: false }, 'sent')
  },
  'leaves in the middle of a stream (LiteLLM 27955, 16011)': () => {
    script = talking
    return leave('leaving', {}, 'text')
  },
  'waits beyond the time of an exchange': async () => {
    script = stalled
    return (await caller.chat({}, as('leaving'))).text()
  },
  'gets an error of the model server': async () => {
    script = { status: 500, body: ['oops'] }
    return (await caller.chat({}, as('leaving'))).text()
  },
  'gets a stream that breaks off': async () => {
    script = { content: ['a ', 'b '], end: { after: 2, how: 'reset' } }
    return (await caller.chat({ stream: true }, as('leaving'))).text()
  },
  'is refused after its tokens were set aside': async () => {
    script = { contentType: 'text/html', body: ['<html>'] }
    return (await caller.chat({ stream: true }, as('leaving'))).text()
  },
}

for (const [name, end] of Object.entries(endings)) {
  t.test(`a slot is never given back when the caller ${name}`, async (t) => {
    await end()
    await idle()
    script = { content: ['fine'], usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } }
    const next = await caller.chat({}, as('leaving'))
    t.equal(next.status, 200, 'the one slot is free')
    t.equal(remaining(next, 'in_flight'), 0, 'and now taken once')
    await next.text()
    await idle()
    t.equal(await sample('sallyport_quota_leases'), 0)
    t.equal(stats.running, 0, 'the model server works for nobody')
  })
}

t.test('twenty callers leave at once, in every phase: nothing is left of them', async (t) => {
  for (const fields of [{ stream: true }, { stream: false }]) {
    script = stalled
    const leaving = callerOf(stack)
    const before = stats.requests
    const calls = Array.from({ length: 20 }, () => leaving.chat(fields, as('crowd')).catch(() => undefined))
    await until(() => stats.requests - before === 20)
    await leaving.close()
    await Promise.all(calls)
    await idle()
    t.equal(stats.running, 0)
    t.equal(await sample('sallyport_quota_leases'), 0)
  }
})

t.test('a caller who leaves pays nothing (LiteLLM 33736, 30630, 35958, 13245)', async (t) => {
  const left = async (): Promise<{ input: number; output: number }> => {
    script = { content: [], usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }
    const probe = await caller.chat({ max_tokens: 1 }, as('counted'))
    await probe.text()
    await idle()
    return {
      input: remaining(probe, 'input_tokens/month'),
      output: remaining(probe, 'output_tokens/month'),
    }
  }
  const start = await left()
  script = talking
  await leave('counted', { max_tokens: 200 }, 'text')
  const afterText = await left()
  const output = start.output - afterText.output
  t.ok(output >= 3 && output < 20, `what was generated is paid: ${output} tokens`)
  t.ok(start.input - afterText.input > 0, 'and the prompt')

  script = stalled
  await leave('counted', { max_tokens: 200 }, 'sent')
  const afterPrompt = await left()
  t.ok(afterText.input - afterPrompt.input > 0, 'before the first token: the prompt, which was worked on')
  t.equal(afterPrompt.output, afterText.output, 'and no reply that never was')
})
