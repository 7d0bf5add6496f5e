/**
 * The whole reply side over recorded replies: decode, meter, screen, encode, write. Each recording runs twice, as it
 * came and with its texts exchanged for values to redact, since only one of them was recorded with such values.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../../src/openai/call.ts'
import { planted, plantedValues } from './planted.ts'
import { type Recording, rawTexts, streams, wholes } from './recording.ts'
import {
  callFor,
  cut,
  dataIn,
  eventsIn,
  pathsIn,
  relayPieces,
  rules,
  screenedTexts,
  seenTexts,
  singleBytes,
  wholeBytes,
} from './relaying.ts'

const everySplitBytesMax = 1_500
const singleBytesMax = 20_000

const stream = { stream: true }
const streamWithUsage = { stream: true, stream_options: { include_usage: true } }

const both = (recordings: readonly Recording[]): Recording[] => [...recordings, ...recordings.map(planted)]
const golden = (name: string): string => readFileSync(join(import.meta.dirname, 'relayed', name), 'utf8')

/** `prefix` before each of the words. */
const under = (prefix: string, words: string): string[] => words.split(' ').map((word) => prefix + word)
const head = 'id object created model service_tier choices'.split(' ')
const usage = [
  ...under('usage.', 'prompt_tokens completion_tokens total_tokens'),
  'usage.prompt_tokens_details.cached_tokens',
  'usage.completion_tokens_details.reasoning_tokens',
]
const message = 'role content reasoning reasoning_content refusal'
const choice = under('choices[].', 'index text logprobs finish_reason')
const call = 'id type function.name function.arguments'
const allowedInEvents = new Set([
  ...[...head, ...usage, ...choice, 'choices[].delta'],
  ...under('choices[].delta.', message),
  ...under('choices[].delta.tool_calls[].', `index ${call}`),
])
const allowedInWholes = new Set([
  ...[...head, ...usage, ...choice],
  ...under('choices[].message.', message),
  ...under('choices[].message.tool_calls[].', call),
  ...under('data[].', 'object index embedding[]'),
])

const strangeIn = (bodies: readonly JsonObject[], allowed: ReadonlySet<string>): string[] =>
  bodies.flatMap((body) => [...pathsIn(body)]).filter((path) => !allowed.has(path))

const valuesIn = (text: string): string[] => plantedValues.filter((value) => text.includes(value))

t.test('the planted texts are full of values', (t) => {
  const raw = streams.map((recording) => [...rawTexts(planted(recording).events).values()].join(''))
  t.same(valuesIn(raw.join('')), plantedValues)
  t.same(valuesIn(rules.screen(plantedValues.join(' ')).text), [])
  t.end()
})

for (const recording of both(streams)) {
  t.test(recording.name, async (t) => {
    const call = callFor(recording, stream)
    const { text, relayed, finished, refusal } = await relayPieces(recording, call, [recording.bytes])
    const data = dataIn(text)
    const events = eventsIn(text)
    t.equal(refusal, 'none')
    t.equal(data.indexOf('[DONE]'), data.length - 1, '[DONE] once, and nothing after it')
    t.same(
      seenTexts(events),
      screenedTexts(recording),
      'the text of each channel, as if it was screened whole',
    )
    t.same(valuesIn(text), [], 'no value')
    t.same(strangeIn(events, allowedInEvents), [], 'nothing outside the allow-list')
    t.notOk(
      events.some(({ usage }) => usage !== undefined),
      'no usage that nobody asked for',
    )
    t.same([...new Set(events.map(({ model }) => model))], ['public-model'])
    t.equal(finished, 1, 'the connection may serve again')
    t.ok(relayed.heldCharsMax <= rules.heldTextMax * Math.max(1, seenTexts(events).length))

    const asked = await relayPieces(recording, callFor(recording, streamWithUsage), [recording.bytes])
    const { inputTokens, outputTokens } = asked.relayed.usage
    const closing = eventsIn(asked.text).at(-1)
    t.same(eventsIn(asked.text).slice(0, -1), events, 'usage is one event more')
    t.match(closing, { choices: [], usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens } })
    t.same(strangeIn(closing ? [closing] : [], allowedInEvents), [])
  })
}

t.test('however the bytes are cut, the caller gets the same bytes', async (t) => {
  for (const recording of both(streams)) {
    const { name, bytes } = recording
    const call = callFor(recording, streamWithUsage)
    const { text } = await relayPieces(recording, call, [bytes])
    const isSame = async (pieces: readonly Uint8Array[]): Promise<boolean> =>
      (await relayPieces(recording, call, pieces)).text === text
    const places = fc.array(fc.nat(bytes.length), { minLength: 1, maxLength: 100 })
    await fc.assert(
      fc.asyncProperty(places, (at) => isSame(cut(bytes, at))),
      { numRuns: 4 },
    )
    if (bytes.length <= singleBytesMax) t.ok(await isSame(singleBytes(bytes)), `${name}, byte by byte`)
    if (bytes.length > everySplitBytesMax) continue
    const wrong: number[] = []
    for (let at = 1; at < bytes.length; at++) if (!(await isSame(cut(bytes, [at])))) wrong.push(at)
    t.same(wrong, [], `${name}, every cut in two`)
  }
})

const withValues = streams.find(({ name }) => name.endsWith('chat_stream_grammar_pii.sse')) as Recording
const callForValues = callFor(withValues, stream)
const [recordedText] = rawTexts(withValues.events).values()
const shownText = `My card is [CREDIT_CARD], email [EMAIL_ADDRESS] and SSN 078-05-1120.`

t.test('values that a real server streamed digit by digit', async (t) => {
  const { text, relayed } = await relayPieces(withValues, callForValues, [withValues.bytes])
  t.equal(text, golden('llama-server-values.sse'))
  // 078-05-1120 is on the list of voided numbers: it was printed on sample cards and names nobody.
  t.same(seenTexts(eventsIn(text)), [['0 content', shownText]])
  t.notMatch(text, /4111|1111|jane|doe|example/)
  t.same(relayed.found.findings, rules.screen(recordedText ?? '').findings)
  t.same(
    relayed.found.findings.map(({ entity, start, end }) => [entity, recordedText?.slice(start, end)]),
    [
      ['CREDIT_CARD', '4111 1111 1111 1111'],
      ['EMAIL_ADDRESS', 'jane.doe@example.com'],
    ],
  )
})

t.test('the same text in events of every size', async (t) => {
  const [first, second, ...rest] = withValues.events
  const last = rest.at(-1)
  for (let size = 1; size <= (recordedText?.length ?? 0); size += 1) {
    const parts = recordedText?.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
    const contents = parts.map((content) => ({ ...second, choices: [{ index: 0, delta: { content } }] }))
    const lines = [first, ...contents, last].map((event) => `data: ${JSON.stringify(event)}\n\n`)
    const { text } = await relayPieces(withValues, callForValues, [
      Buffer.from(`${lines.join('')}data: [DONE]\n\n`),
    ])
    t.same(seenTexts(eventsIn(text)), [['0 content', shownText]], `${size} characters an event`)
  }
})

t.test('a stream that breaks off anywhere shows the beginning of the same text, and no [DONE]', async (t) => {
  const ends = withValues.bytes.length - 'data: {}\n\ndata: [DONE]\n\n'.length
  const seen = new Set<string>()
  for (let end = 1; end < ends; end += 97) {
    const { text, refusal } = await relayPieces(withValues, callForValues, [
      withValues.bytes.subarray(0, end),
    ])
    const [[, shown = ''] = []] = seenTexts(eventsIn(text))
    if (!shownText.startsWith(shown) || text.includes('[DONE]')) t.fail(`cut at ${end}: ${shown}`)
    if (!refusal.startsWith('upstream_truncated')) t.fail(`cut at ${end}: ${refusal}`)
    seen.add(shown)
  }
  t.equal(seen.size, 9, 'one more with each word, the last of which needs an end')
})

for (const recording of both(wholes)) {
  t.test(`${recording.name} in one piece`, async (t) => {
    const bytes = wholeBytes(recording)
    const { text, relayed, refusal } = await relayPieces(recording, callFor(recording), [bytes])
    const body = JSON.parse(text)
    t.equal(refusal, 'none')
    t.same(seenTexts([body]), screenedTexts(recording), 'the text of each channel')
    t.same(valuesIn(text), [], 'no value')
    t.same(strangeIn([body], allowedInWholes), [], 'nothing outside the allow-list')
    t.equal(body.model, 'public-model')
    t.equal(body.usage.prompt_tokens, relayed.usage.inputTokens)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 40 }), async (places) => {
        const again = await relayPieces(recording, callFor(recording), cut(bytes, places))
        return again.text === text
      }),
      { numRuns: 4 },
    )
    t.equal((await relayPieces(recording, callFor(recording), singleBytes(bytes))).text, text, 'byte by byte')
  })
}

t.test('whole replies with values, as the caller sees them', async (t) => {
  for (const [name, file] of [
    ['vercel-ai-sdk-fixtures/deepseek-chat-deepseek-tool-call.json', 'deepseek-tool-call-planted.json'],
    ['tgi-snapshots/test_flash_llama_completion_many_prompts.json', 'tgi-many-prompts-planted.json'],
  ] as const) {
    const recording = planted(wholes.find((whole) => whole.name === name) as Recording)
    const { text } = await relayPieces(recording, callFor(recording), [wholeBytes(recording)])
    t.equal(text, JSON.stringify(JSON.parse(golden(file))), name)
  }
})
