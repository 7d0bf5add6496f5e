// A framed event says what the dialect says of the parsed one, or nothing.
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../../src/openai/call.ts'
import { FramedEvents } from '../../src/openai/event-frame.ts'
import type { Reply } from '../../src/openai/reply.ts'
import { openReplies } from '../../src/openai/reply-dialect.ts'
import { encodeEvent } from '../../src/openai/sse.ts'

const model = 'public-model'
const open = (endpoint: 'chat.completions' | 'completions') =>
  openReplies(endpoint, { logprobs: false, exchangeId: 'x1', createdAtSeconds: 7 })

/** All that anybody reads of a reply. */
const said = (reply: Reply, replaced?: string) => {
  if (replaced !== undefined) reply.texts[0]?.replace(replaced)
  const { usage: _, ...body } = structuredClone(reply.body) as JsonObject
  return {
    body,
    texts: reply.texts.map(({ text, choice, channel, kind, path }) => ({
      text,
      choice,
      channel,
      kind,
      path,
    })),
    finished: reply.finished,
    usage: reply.usage,
    usageOnly: reply.usageOnly,
  }
}

/** What the slow way says, or nothing where it refuses. */
function parsed(endpoint: 'chat.completions' | 'completions', data: string): Reply | undefined {
  try {
    return open(endpoint).event(JSON.parse(data), model)
  } catch {
    return undefined
  }
}

const vllm = (text: string, created = 1_700_000_000, tokens = 3): string =>
  `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":${created},"model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":${5 + tokens},"completion_tokens":${tokens}}}`
const sglang = (text: string, created: number): string =>
  `{"id": "a", "object": "chat.completion.chunk", "created": ${created}, "model": "m", "choices": [{"index": 0, "delta": {"role": null, "content": ${JSON.stringify(text)}, "reasoning_content": null, "tool_calls": null}, "logprobs": null, "finish_reason": null, "matched_stop": null}], "usage": null}`
const llamacpp = (text: string): string =>
  `{"choices":[{"finish_reason":null,"index":0,"delta":{"content":${JSON.stringify(text)}}}],"created":1700000000,"id":"c","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}`
const thinking = (text: string): string =>
  `{"id":"1","choices":[{"index":1,"delta":{"reasoning_content":${JSON.stringify(text)}},"finish_reason":null}],"usage":null}`
const completion = (text: string): string =>
  `{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":null}`

const forms = [
  ['chat.completions', (text: string, n: number) => vllm(text, 1_700_000_000 + n, n + 1)],
  ['chat.completions', (text: string, n: number) => sglang(text, 1_700_000_000 + n)],
  ['chat.completions', llamacpp],
  ['chat.completions', thinking],
  ['completions', completion],
] as const

t.test('events of every server are read by their frame from the second one on', async (t) => {
  for (const [endpoint, form] of forms) {
    const frames = new FramedEvents(open(endpoint), model)
    const first = form('Hello', 0)
    t.equal(frames.read(first), undefined)
    frames.parsed(JSON.parse(first), first)
    for (const [n, text] of [
      ' world',
      'line\nbreak',
      '"quoted" \\ é 漢 🎉',
      'Hello',
      'null',
      '{',
    ].entries()) {
      const data = form(text, n + 1)
      const framed = frames.read(data)
      t.ok(framed, data)
      if (framed === undefined) continue
      const slow = parsed(endpoint, data) as Reply
      t.same(said(framed), said(slow))
      t.same(said(framed, 'masked <x>'), said(slow, 'masked <x>'))
      delete slow.body['usage']
      t.equal(framed.encoded?.(), encodeEvent(slow.body), 'and written as JSON.stringify would')
    }
  }
})

t.test('what carries more than text is never framed', async (t) => {
  const frames = new FramedEvents(open('chat.completions'), model)
  const first = vllm('Hello')
  frames.parsed(JSON.parse(first), first)
  const others = [
    vllm(''),
    first.replace('"finish_reason":null', '"finish_reason":"stop"'),
    first.replace('"content":"Hello"', '"content":"Hello","refusal":"no"'),
    first.replace('"index":0', '"index":1'),
    first.replace('"content"', '"tool_calls":[],"content"'),
    first.replace('"usage":{', '"usage":{"prompt_tokens":"x",').replace('}}', '}'),
    first.replace('"Hello"', '"Hel\u0001lo"'),
    first.replace('"Hello"', '"Hel\\lo"'),
    first.replace('"Hello"', '"Hello'),
    first.replace('1700000000', '01'),
    first.replace('1700000000', '1e9'),
    `${first} `,
    first.slice(0, -1),
    '[DONE]',
    '',
  ]
  for (const data of others) t.equal(frames.read(data), undefined, data.slice(0, 120))
})

t.test('a frame is made where the text stands, not where the same word stands by chance', async (t) => {
  const frames = new FramedEvents(open('chat.completions'), model)
  const twin = (text: string): string =>
    `{"id":"x","choices":[{"note":"same","delta":{"content":"${text}"},"index":0}]}`
  frames.parsed(JSON.parse(twin('same')), twin('same'))
  t.equal(frames.read(twin('other'))?.texts[0]?.text, 'other')
  t.equal(frames.read(twin('same').replace('"note":"same"', '"note":"other"')), undefined)
  const both = (one: string, two: string): string =>
    `{"choices":[{"index":0,"delta":{"reasoning":"${one}","reasoning_content":"${two}"}}]}`
  const said = new FramedEvents(open('chat.completions'), model)
  said.parsed(JSON.parse(both('a', 'a')), both('a', 'a'))
  t.equal(said.read(both('b', 'b')), undefined, 'two texts that must be the same')
  t.equal(said.read(both('b', 'a')), undefined)
  const doubled = `{"choices":[],"choices":[{"index":0,"delta":{"content":"a"}}]}`
  const twice = new FramedEvents(open('chat.completions'), model)
  twice.parsed(JSON.parse(doubled), doubled)
  t.equal(twice.read(doubled.replace('"a"', '"b"')), undefined, 'a key that comes twice')
})

t.test('a server that writes every event differently is framed a bounded number of times', async (t) => {
  let asked = 0
  const dialect = open('chat.completions')
  const counting = {
    ...dialect,
    event: (json: unknown, name: string) => {
      asked += 1
      return dialect.event(json, name)
    },
  }
  const frames = new FramedEvents(counting as unknown as typeof dialect, model)
  for (let n = 0; n < 200; n += 1) {
    const data = `{"n${n}":1,"choices":[{"index":0,"delta":{"content":"a${n}"}}]}`
    t.equal(frames.read(data), undefined)
    frames.parsed(JSON.parse(data), data)
  }
  t.ok(asked < 200 + 16 * 12, `${asked} readings`)
})

const edit = fc.record({
  at: fc.nat(400),
  drop: fc.nat(3),
  put: fc.constantFrom('', '"', '\\', ',', '{', '}', '0', 'a', ':"', '\u0000', 'null'),
})
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a', 'content', 'Hello', 'sallyport:frame'),
)
const edited = (data: string, edits: readonly { at: number; drop: number; put: string }[]): string =>
  edits.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), data)

/** Whether the event was framed; throws when the frame and the dialect differ. */
function compared(frames: FramedEvents, endpoint: 'chat.completions' | 'completions', data: string): boolean {
  const framed = frames.read(data)
  const slow = parsed(endpoint, data)
  if (framed === undefined) {
    if (slow !== undefined) frames.parsed(JSON.parse(data), data)
    return false
  }
  if (slow === undefined) throw new Error(`framed what the dialect refuses: ${data}`)
  const [one, other] = [JSON.stringify(said(framed)), JSON.stringify(said(slow))]
  if (one !== other) throw new Error(`${one} is not ${other}`)
  delete slow.body['usage']
  if (framed.encoded?.() !== encodeEvent(slow.body)) throw new Error('written differently')
  return true
}

t.test('whatever the data: what a frame says, the dialect says', async (t) => {
  let framed = 0
  const following = fc.array(fc.tuple(anyText, fc.array(edit, { maxLength: 2 })), { maxLength: 6 })
  fc.assert(
    fc.property(fc.constantFrom(...forms), anyText, following, ([endpoint, form], first, rest) => {
      const frames = new FramedEvents(open(endpoint), model)
      compared(frames, endpoint, form(first, 0))
      for (const [n, [text, edits]] of rest.entries())
        if (compared(frames, endpoint, edited(form(text, n + 1), edits))) framed += 1
    }),
    { numRuns: 3_000 },
  )
  t.ok(framed > 500, `${framed} events were framed`)
})
