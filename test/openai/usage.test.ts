import fc from 'fast-check'
import t from 'tap'

import type { ReplySlot, Usage } from '../../src/openai/call.ts'
import type { Reply } from '../../src/openai/reply.ts'
import { embeddingUsageBody, readUsage, settleUsage, UsageMeter, usageBody } from '../../src/openai/usage.ts'

const slot = (choice: number, text: string): ReplySlot => ({
  choice,
  text,
  channel: 'content',
  kind: 'text',
  path: `choices[${choice}].delta.content`,
  replace: () => {},
})

interface Parts {
  readonly body?: Reply['body']
  readonly texts?: readonly ReplySlot[]
  readonly finished?: readonly number[]
  readonly usage?: Usage
  readonly usageOnly?: boolean
}
const reply = (parts: Parts): Reply => ({
  body: {},
  texts: [],
  finished: [],
  usage: undefined,
  usageOnly: false,
  ...parts,
})

const usage = (inputTokens: number, outputTokens: number): Usage => ({ inputTokens, outputTokens })
const one = { choices: 1, prompts: 1 }

t.test('readUsage', (t) => {
  const cases: readonly [string, unknown, Usage | undefined][] = [
    ['chat', { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }, usage(3, 4)],
    ['embeddings', { prompt_tokens: 3, total_tokens: 3 }, usage(3, 0)],
    ['no total', { prompt_tokens: 3, completion_tokens: 4 }, usage(3, 4)],
    ['a total with reasoning', { prompt_tokens: 3, completion_tokens: 4, total_tokens: 10 }, usage(3, 7)],
    ['a total that is too small', { prompt_tokens: 3, completion_tokens: 4, total_tokens: 1 }, usage(3, 4)],
    [
      'details',
      {
        prompt_tokens: 3,
        completion_tokens: 4,
        prompt_tokens_details: { cached_tokens: 2, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      { ...usage(3, 4), cachedInputTokens: 2, reasoningTokens: 1 },
    ],
    [
      'details beyond the count',
      { prompt_tokens: 3, prompt_tokens_details: { cached_tokens: 9 } },
      { ...usage(3, 0), cachedInputTokens: 3 },
    ],
    ['odd details', { prompt_tokens: 3, prompt_tokens_details: { cached_tokens: -1 } }, usage(3, 0)],
    ['null details', { prompt_tokens: 3, prompt_tokens_details: null }, usage(3, 0)],
    ['null', null, undefined],
    ['a list', [], undefined],
    ['empty', {}, undefined],
    ['no prompt', { completion_tokens: 4 }, undefined],
  ]
  for (const [name, json, expected] of cases) t.same(readUsage(json), expected, name)
  for (const odd of [-1, 1.5, 1e30, 2 ** 53, '4', true, [], {}]) {
    for (const name of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
      const json = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, [name]: odd }
      t.equal(readUsage(json), undefined, `${name} ${JSON.stringify(odd)}`)
    }
  }
  t.end()
})

t.test('usage bodies', (t) => {
  const full = { ...usage(3, 4), cachedInputTokens: 2, reasoningTokens: 1 }
  t.same(usageBody(full), {
    prompt_tokens: 3,
    completion_tokens: 4,
    total_tokens: 7,
    prompt_tokens_details: { cached_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 1 },
  })
  t.same(readUsage(usageBody(full)), full)
  t.same(embeddingUsageBody(usage(3, 0)), { prompt_tokens: 3, total_tokens: 3 })
  t.end()
})

t.test('the meter counts events with text, once a choice', (t) => {
  const meter = new UsageMeter({ choices: 2, prompts: 1 })
  meter.event(reply({ texts: [slot(0, '')] }))
  meter.event(reply({ texts: [slot(0, 'ab'), slot(0, 'cd')] }))
  meter.event(reply({ texts: [slot(0, 'é'), slot(1, 'b')] }))
  t.match(meter.counted, { outputTokensMin: 3, outputTokensLikely: 3 })
  meter.event(reply({ texts: [slot(1, 'x'.repeat(93))] }))
  t.match(meter.counted, { outputTokensMin: 4, outputTokensLikely: 25 })
  t.equal(meter.reported, undefined)
  t.end()
})

const closing = (inputTokens: number, outputTokens: number): Reply =>
  reply({ usage: usage(inputTokens, outputTokens), usageOnly: true })

t.test('reports of a stream', (t) => {
  const finishing = (choice: number, counts: Usage): Reply => reply({ usage: counts, finished: [choice] })
  const running = (outputTokens: number): Reply => reply({ usage: usage(9, outputTokens) })
  const cases: readonly [string, { choices: number; prompts: number }, readonly Reply[], Usage][] = [
    ['one at the end', one, [closing(9, 5)], usage(9, 5)],
    ['on the last event', one, [finishing(0, usage(9, 5))], usage(9, 5)],
    ['a running total', one, [running(1), running(2), closing(9, 3)], usage(9, 3)],
    ['the same twice for one choice', one, [closing(9, 5), closing(9, 5)], usage(9, 5)],
    ['one that shrinks', one, [running(7), closing(3, 2)], usage(9, 7)],
    ['vLLM, three choices', { choices: 3, prompts: 1 }, [closing(9, 15)], usage(9, 15)],
    [
      'vLLM, a running total of three choices',
      { choices: 3, prompts: 1 },
      [running(1), running(2), closing(9, 3)],
      usage(9, 3),
    ],
    [
      'llama.cpp, three choices',
      { choices: 3, prompts: 1 },
      [closing(9, 5), closing(9, 5), closing(9, 5)],
      usage(9, 15),
    ],
    [
      'TGI, two prompts',
      { choices: 1, prompts: 2 },
      [finishing(0, usage(6, 10)), finishing(1, usage(5, 10))],
      usage(11, 20),
    ],
    [
      'more reports than choices',
      { choices: 2, prompts: 1 },
      [closing(9, 1), closing(9, 2), closing(9, 3)],
      usage(9, 3),
    ],
  ]
  for (const [name, call, replies, expected] of cases) {
    const meter = new UsageMeter(call)
    for (const event of replies) meter.event(event)
    t.same(meter.reported, expected, name)
  }
  t.end()
})

t.test('a whole reply', (t) => {
  const text = 'x'.repeat(20)
  const metered = (texts: readonly ReplySlot[], outputTokens: number): UsageMeter => {
    const meter = new UsageMeter({ choices: texts.length, prompts: 1 })
    meter.whole(reply({ texts, usage: usage(9, outputTokens) }))
    return meter
  }
  t.equal(metered([slot(0, text)], 2).reported?.outputTokens, 2, 'one choice is believed')
  const three = [slot(0, text), slot(1, text), slot(2, text)]
  t.equal(metered(three, 15).reported?.outputTokens, 15, 'a full count stays')
  t.equal(metered(three, 5).reported?.outputTokens, 15, 'the count of one choice is raised')
  t.equal(metered(three, 1).reported?.outputTokens, 3, 'to its multiple at most')
  t.match(metered(three, 15).counted, { outputTokensMin: 3, outputTokensLikely: 15 })
  const silent = new UsageMeter(one)
  silent.whole(reply({ texts: [slot(0, text)] }))
  t.equal(silent.reported, undefined)
  t.end()
})

t.test('a whole reply of a server that reports the first choice alone (llama.cpp 0.7.0)', (t) => {
  const metered = (prompts: number, choices: readonly (readonly [text: string, reason: string])[]): Usage => {
    const meter = new UsageMeter({ choices: choices.length / prompts, prompts, firstChoiceOnly: true })
    meter.whole(
      reply({
        body: { choices: choices.map(([, reason], index) => ({ index, finish_reason: reason })) },
        texts: choices.map(([text], index) => slot(index, text)),
        finished: choices.map((_, index) => index),
        usage: usage(9, 10),
      }),
    )
    return meter.reported as Usage
  }
  const text = 'x'.repeat(20)
  t.same(metered(1, [[text, 'length']]), usage(9, 10), 'one choice is believed')
  const short = 'x'.repeat(6)
  t.same(
    metered(1, [
      [text, 'length'],
      [short, 'length'],
      [short, 'length'],
    ]),
    usage(9, 30),
    'cut ones',
  )
  t.same(
    metered(1, [
      [text, 'stop'],
      [text + text, 'stop'],
      ['', 'stop'],
    ]),
    usage(9, 31),
    'by their length',
  )
  t.same(
    metered(1, [
      ['', 'stop'],
      [text, 'stop'],
    ]),
    usage(9, 15),
    'a first one without text tells nothing',
  )
  t.same(
    metered(2, [
      [text, 'stop'],
      [text, 'stop'],
    ]),
    usage(0, 20),
    'the prompts are not believed',
  )
  t.end()
})

const count = fc.oneof(fc.nat(50), fc.nat(100_000), fc.constant(Number.MAX_SAFE_INTEGER))
const report = fc.option(
  fc.record({ inputTokens: count, outputTokens: count, cachedInputTokens: count, reasoningTokens: count }),
  { nil: undefined },
)

t.test('invariants 1 and 2: what is settled', (t) => {
  const reserved = fc.record({
    inputTokens: fc.integer({ min: 1, max: 10_000 }),
    outputTokens: fc.nat(10_000),
  })
  fc.assert(
    fc.property(report, fc.nat(500), fc.nat(500), reserved, (reported, min, more, reserved) => {
      const counted = { outputTokensMin: min, outputTokensLikely: min + more }
      const settled = settleUsage({ reported, counted, reserved })
      const claimed = reported?.outputTokens ?? min + more
      return (
        settled.outputTokens >= min &&
        settled.outputTokens <= Math.max(min, reserved.outputTokens) &&
        settled.outputTokens >= Math.min(claimed, reserved.outputTokens) &&
        settled.inputTokens > 0 &&
        settled.inputTokens <= 2 * reserved.inputTokens &&
        (settled.cachedInputTokens ?? 0) <= settled.inputTokens &&
        (settled.reasoningTokens ?? 0) <= settled.outputTokens
      )
    }),
    { numRuns: 100 },
  )
  t.pass('holds for each example')
  t.end()
})

t.test('settlement, case by case', (t) => {
  const reserved = { inputTokens: 100, outputTokens: 50 }
  const counted = { outputTokensMin: 10, outputTokensLikely: 12 }
  const settle = (reported: Usage | undefined): Usage => settleUsage({ reported, counted, reserved })
  t.same(settle(undefined), usage(100, 12), 'nothing reported: all of the prompt, the likely output')
  t.same(settle(usage(80, 30)), usage(80, 30), 'a plausible report')
  t.same(settle(usage(80, 3)), usage(80, 10), 'less than was seen')
  t.same(settle(usage(0, 30)), usage(100, 30), 'no prompt')
  t.same(settle(usage(9_999, 9_999)), usage(200, 50), 'more than was reserved')
  t.end()
})

const event = fc.record({
  texts: fc.array(fc.tuple(fc.nat(3), fc.string({ maxLength: 5 })), { maxLength: 3 }),
  usage: fc.option(fc.record({ inputTokens: fc.nat(100), outputTokens: fc.nat(100) }), { nil: undefined }),
  usageOnly: fc.boolean(),
})

t.test('invariant 3: no report lowers an earlier one', (t) => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const meter = new UsageMeter(one)
      let before = usage(0, 0)
      for (const { texts, usage: counts, usageOnly } of events) {
        const slots = texts.map(([choice, text]) => slot(choice, text))
        meter.event(reply({ texts: slots, usageOnly, ...(counts ? { usage: counts } : {}) }))
        const now = meter.reported ?? usage(0, 0)
        if (now.inputTokens < before.inputTokens || now.outputTokens < before.outputTokens) return false
        before = now
      }
      return true
    }),
    { numRuns: 100 },
  )
  t.pass('holds for each example')
  t.end()
})

t.test('invariant 4: a truthful server is charged what it made, however it reports', (t) => {
  const outputs = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 })
  const style = fc.constantFrom('total', 'running', 'per choice')
  fc.assert(
    fc.property(outputs, style, (lengths, style) => {
      const meter = new UsageMeter({ choices: lengths.length, prompts: 1 })
      const made = lengths.reduce((sum, length) => sum + length, 0)
      let seen = 0
      lengths.forEach((length, choice) => {
        for (let i = 0; i < length; i++) {
          seen++
          const texts = [slot(choice, 'word')]
          meter.event(reply(style === 'running' ? { texts, usage: usage(7, seen) } : { texts }))
        }
        if (style === 'per choice') meter.event(closing(7, length))
      })
      if (style === 'total') meter.event(closing(7, made))
      const reserved = { inputTokens: 10, outputTokens: 100 }
      const settled = settleUsage({ reported: meter.reported, counted: meter.counted, reserved })
      return settled.inputTokens === 7 && settled.outputTokens === made
    }),
    { numRuns: 100 },
  )
  t.pass('holds for each example')
  t.end()
})
