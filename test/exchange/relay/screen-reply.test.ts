import fc from 'fast-check'
import t from 'tap'
import { ReplyScreen, screenWhole } from '../../../src/exchange/relay/screen-reply.ts'
import type { JsonObject } from '../../../src/openai/call.ts'
import { openReplies } from '../../../src/openai/reply-dialect.ts'
import { ToolCallNaming } from '../../../src/openai/tool-call-naming.ts'
import type { Action } from '../../../src/redaction/finding.ts'
import { refusalOf, replyRules, ruleSet } from '../fake-parts.ts'

const values = ['bob@example.com', '4111 1111 1111 1111', '536-90-4399', 'AKIAIOSFODNN7EXAMPLE']
const channels = ['content', 'reasoning_content', 'refusal', 'tool 0', 'tool 1'] as const
type ChannelName = (typeof channels)[number]
const choices = [0, 1]

const deltaOf = (channel: ChannelName, text: string): JsonObject =>
  channel.startsWith('tool')
    ? { tool_calls: [{ index: Number(channel.at(-1)), function: { arguments: text } }] }
    : { [channel]: text }
const eventOf = (choice: number, delta: JsonObject, finish: string | null = null): JsonObject => ({
  id: 'x',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: choice, delta, finish_reason: finish }],
})

/** Text by choice and channel of the events that leave. */
function collect(events: readonly JsonObject[]): Record<string, string> {
  const out: Record<string, string> = {}
  const add = (key: string, text: unknown): void => {
    if (typeof text === 'string') out[key] = (out[key] ?? '') + text
  }
  for (const event of events) {
    for (const { index, delta } of event['choices'] as { index: number; delta: JsonObject }[]) {
      for (const channel of ['content', 'reasoning_content', 'refusal'])
        add(`${index}/${channel}`, delta[channel])
      for (const call of (delta['tool_calls'] ?? []) as { index: number; function: JsonObject }[])
        add(`${index}/tool ${call.index}`, call.function['arguments'])
    }
  }
  return out
}

function screened(
  events: readonly JsonObject[],
  action: Action = 'mask',
): { out: JsonObject[]; screen: ReplyScreen } {
  const dialect = openReplies('chat.completions', { logprobs: false })
  const screen = new ReplyScreen(replyRules(action), dialect, choices.length)
  const out = events.flatMap((event) => screen.pass(dialect.event(event, 'demo')))
  return { out: [...out, ...screen.flush()], screen }
}

const textIn = (channel: ChannelName) =>
  fc
    .array(
      fc.oneof(fc.constantFrom(...values), fc.constantFrom('and ', ' x ', '1', '@', ' 4111', '. ', 'é')),
      {
        maxLength: 5,
      },
    )
    .map((parts) => (channel.startsWith('tool') ? JSON.stringify({ a: parts }) : parts.join(' ')))

/** For some channels of each choice: a text, and where it is cut. */
const streams = fc.record(
  Object.fromEntries(
    choices.flatMap((choice) =>
      channels.map((channel) => [
        `${choice}/${channel}`,
        fc.option(
          fc.record({
            text: textIn(channel),
            cuts: fc.array(fc.nat({ max: 90 }), { maxLength: 8 }),
          }),
          { nil: undefined, freq: 2 },
        ),
      ]),
    ),
  ),
)

type Streams = Record<string, { text: string; cuts: number[] } | undefined>

/** The events of all channels, in an order that `order` chooses; each choice ends after its last text. */
function interleaved(parts: Streams, order: readonly number[], ending: 'reasons' | 'none'): JsonObject[] {
  const queues = Object.entries(parts).flatMap(([key, part]) => {
    if (!part) return []
    const [choice, channel] = key.split('/') as [string, ChannelName]
    const at = [
      0,
      ...part.cuts.filter((cut) => cut < part.text.length).sort((a, b) => a - b),
      part.text.length,
    ]
    const pieces = at.slice(1).map((end, index) => part.text.slice(at[index], end))
    return [pieces.map((piece) => eventOf(Number(choice), deltaOf(channel, piece)))]
  })
  const events: JsonObject[] = []
  for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
    const open = queues.filter((queue) => queue.length > 0)
    events.push(open[(order[turn % order.length] as number) % open.length]?.shift() as JsonObject)
  }
  return ending === 'none' ? events : [...events, ...choices.map((choice) => eventOf(choice, {}, 'stop'))]
}

const expectedOf = (parts: Streams): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parts).flatMap(([key, part]) => {
      if (!part || part.text === '') return []
      const rules = ruleSet('mask')
      return [[key, key.includes('tool') ? rules.screenJson(part.text).text : rules.screen(part.text).text]]
    }),
  )

const nonEmpty = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text))

for (const ending of ['reasons', 'none'] as const) {
  t.test(`any cut and any order gives what each channel gives alone; ending: ${ending}`, (t) => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 30 }), (parts, order) => {
        const { out, screen } = screened(interleaved(parts as Streams, order, ending))
        t.same(nonEmpty(collect(out)), expectedOf(parts as Streams))
        t.equal(
          out.filter((event) => (event['choices'] as JsonObject[])[0]?.['finish_reason'] === 'stop').length,
          ending === 'none' ? 0 : choices.length,
        )
        t.ok(screen.heldCharsMax >= 0)
      }),
      { numRuns: 60 },
    )
    t.end()
  })
}

t.test(
  'an event whose text is held leaves nothing, but a role, a name and a reason to end always leave',
  (t) => {
    const { out } = screened([
      eventOf(0, { role: 'assistant', content: 'bob@exam' }),
      eventOf(0, { content: 'ple' }),
      eventOf(0, {
        tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }],
      }),
      eventOf(0, { content: '.com' }, 'stop'),
    ])
    const id = new ToolCallNaming(undefined).idOf(0, 0)
    t.same(
      out.map((event) => (event['choices'] as { delta: JsonObject }[])[0]?.delta),
      [
        { role: 'assistant', content: '' },
        { tool_calls: [{ index: 0, id, type: 'function', function: { name: 'f', arguments: '' } }] },
        { content: '[EMAIL_ADDRESS]' },
      ],
    )
    t.end()
  },
)

t.test('text after the end of its choice is refused, in the other choice it is not', async (t) => {
  const done = eventOf(0, { content: 'a' }, 'stop')
  t.match(await refusalOf(() => screened([done, eventOf(0, { content: 'b' })])), 'upstream_protocol')
  t.match(await refusalOf(() => screened([done, eventOf(0, { refusal: 'b' })])), 'upstream_protocol')
  t.equal(
    await refusalOf(() => screened([done, eventOf(0, { content: '' }), eventOf(1, { content: 'b' })])),
    'none',
  )
  t.equal(await refusalOf(() => screened([done, eventOf(0, {}, 'stop')])), 'none')
})

t.test('a blocked value ends it; what came before it is out already', async (t) => {
  const dialect = openReplies('chat.completions', { logprobs: false })
  const screen = new ReplyScreen(replyRules('block'), dialect, 1)
  const pass = (content: string) => screen.pass(dialect.event(eventOf(0, { content }), 'demo'))
  t.same(nonEmpty(collect([...pass('Mail to '), ...pass('bob@exam')])), { '0/content': 'Mail to ' })
  t.equal(await refusalOf(() => pass('ple.com today')), 'content_blocked EMAIL_ADDRESS')
  t.match(screen.found.findings, [{ entity: 'EMAIL_ADDRESS', action: 'block' }])
})

t.test('windows are bounded, with room for every choice that was asked for', async (t) => {
  const dialect = openReplies('completions', { logprobs: false })
  const run = (choicesAsked: number, choicesSent: number) => () => {
    const screen = new ReplyScreen(replyRules('mask'), dialect, choicesAsked)
    for (let index = 0; index < choicesSent; index++) {
      screen.pass(dialect.event({ choices: [{ index, text: 'a', finish_reason: 'stop' }] }, 'demo'))
    }
  }
  t.equal(await refusalOf(run(1, 2_000)), 'upstream_protocol too many channels')
  t.equal(await refusalOf(run(2_000, 2_000)), 'none')
})

t.test('a profile without rules touches nothing', (t) => {
  const event = eventOf(0, { content: 'bob@example.com' })
  t.same(collect(screened([event], 'allow').out), { '0/content': 'bob@example.com' })
  t.end()
})

const { signal } = new AbortController()

t.test('a long whole reply leaves the event loop to others, and counts all it found', async (t) => {
  const message = { content: '8.8.8.8 '.repeat(140_000) }
  const reply = openReplies('chat.completions', { logprobs: false }).whole(
    { choices: [{ index: 0, message, finish_reason: 'stop' }] },
    'demo',
  )
  let turns = 0
  let under = true
  const turn = (): void => {
    turns++
    if (under) setImmediate(turn)
  }
  setImmediate(turn)
  const { found } = await screenWhole(reply, replyRules('mask'), signal)
  under = false
  t.ok(turns >= 30, `${turns} turns`)
  t.match(found.tallies, [{ entity: 'IP_ADDRESS', count: 140_000 }])
})

t.test('a whole reply: every text of it, or none when it is blocked', async (t) => {
  const whole = () =>
    openReplies('chat.completions', { logprobs: false }).whole(
      {
        choices: choices.map((index) => ({
          index,
          message: {
            content: `I am ${values[0]}`,
            reasoning: `so ${values[1]}`,
            tool_calls: [
              { id: 'c', type: 'function', function: { name: 'f', arguments: `{"a":"${values[2]}"}` } },
            ],
          },
          finish_reason: 'stop',
        })),
      },
      'demo',
    )
  const reply = whole()
  t.equal((await screenWhole(reply, replyRules('mask'), signal)).found.findings.length, 6)
  const text = JSON.stringify(reply.body)
  for (const value of values) t.notMatch(text, value)
  const blocked = await screenWhole(whole(), replyRules('block'), signal)
  t.match(blocked, { blocked: { action: 'block' }, found: { findings: [{ action: 'block' }] } })
  t.match(await screenWhole(whole(), replyRules('allow'), signal), {
    found: { tallies: [] },
    blocked: undefined,
  })
})
