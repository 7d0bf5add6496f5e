// A model that says what we want: llama-server's own grammar leaves the tiny model one text. It comes through a real
// tokenizer, sampler and event writer, nearly one character an event, and never split in the same way twice.
import { strict as assert } from 'node:assert'
import {
  type Bench,
  endingOf,
  finishReasons,
  question,
  type Streamed,
  streamed,
  textOf,
  usageOf,
} from '../bench.ts'
import type { Front } from '../front.ts'

/** A text with values in it: a string stands for itself, a pair for a value and what it must become. */
type Part = string | readonly [entity: string, value: string]

const pem = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8c
KZMzJ0yVbWc0QGm2rY9oZ2kQh5nV1xq8m3s4t7u0w9y1z3A5C7E9G2I4K6M8O0
-----END PRIVATE KEY-----`

const jwt =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'

export const oracles: Readonly<Record<string, readonly Part[]>> = {
  brief: [
    'My card is ',
    ['CREDIT_CARD', '4111 1111 1111 1111'],
    ', mail ',
    ['EMAIL_ADDRESS', 'jane.doe@example.com'],
    ', key ',
    ['AWS_ACCESS_KEY', 'AKIAQ3EGWJ5T2ZLKMXYA'],
    '.',
  ],
  kinds: [
    'IBAN ',
    ['IBAN_CODE', 'DE89 3704 0044 0532 0130 00'],
    '; SSN ',
    ['US_SSN', '536-22-8726'],
    '; call ',
    ['PHONE_NUMBER', '+1 (415) 555-2671'],
    '; host ',
    ['IP_ADDRESS', '203.0.113.195'],
    '; token ',
    ['GITHUB_TOKEN', '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'],
    '; key ',
    ['OPENAI_API_KEY', 'sk-proj-aB3dE5fG7hI9_jK1lM3nO-T3BlbkFJpQ5rS7tU9vW1xY3zA5bC'],
    '; session ',
    ['JSON_WEB_TOKEN', jwt],
    ' and no more.',
  ],
  unicode: [
    'Привет 🙂 — карта «',
    ['CREDIT_CARD', '4012-8888-8888-1881'],
    '», почта ',
    ['EMAIL_ADDRESS', 'ada.lovelace+tag@mail.example.co.uk'],
    '。日本語 é ✓',
  ],
  key: ['The key:\n', ['PRIVATE_KEY', pem], '\nKeep it.'],
  edges: [
    ['EMAIL_ADDRESS', 'ada@example.com'],
    ', order 4111 1111 1111 1112, version 1.2.3, card ',
    ['CREDIT_CARD', '5555.5555.5555.4444'],
  ],
}

const thought: readonly Part[] = ['The card is ', ['CREDIT_CARD', '3782 822463 10005'], '.']
const answer: readonly Part[] = ['Mail ', ['EMAIL_ADDRESS', 'jane.doe@example.com'], ' now.']

const said = (parts: readonly Part[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : part[1])).join('')
const masked = (parts: readonly Part[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : `[${part[0]}]`)).join('')
const valuesOf = (parts: readonly Part[]): string[] =>
  parts.flatMap((part) => (typeof part === 'string' ? [] : [part[1]]))

/** Every value that the oracles are made to say. */
export const plantedValues = [...Object.values(oracles), thought, answer].flatMap(valuesOf)

/** A grammar (llama.cpp's GBNF) with one sentence. */
const grammarOf = (text: string): string =>
  `root ::= "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"\n`

export const oracleGrammars: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(oracles).map(([name, parts]) => [name, grammarOf(said(parts))]),
)
/** For a server whose chat template knows of thinking. */
export const thinkingGrammar = grammarOf(`<think>${said(thought)}</think>${said(answer)}`)

const body = (model: string) => ({
  model,
  messages: question('Say it.'),
  max_tokens: 1_000,
  stream_options: { include_usage: true },
})

/** Streams of the same text, each split anew by the sampler. */
const repetitions = 10

export async function oracleChecks({ section, front }: Pick<Bench, 'section' | 'front'>): Promise<void> {
  for (const [name, parts] of Object.entries(oracles)) {
    const model = `oracle-${name}`
    await section.check(`${name}: without a reply rule the model does say it`, async () => {
      const reply = await streamed(front, '/v1/chat/completions', body(model), 'open')
      assert.equal(textOf(reply.events).text, said(parts))
      return `${reply.events.length} events for ${said(parts).length} characters`
    })
    await section.check(`${name}: streamed ${repetitions} times, masked at every moment`, async () => {
      let events = 0
      for (let i = 0; i < repetitions; i++) {
        const reply = await streamed(front, '/v1/chat/completions', body(model))
        neverShown(reply, parts)
        await endedWell(front, reply, 1)
        events += reply.events.length
      }
      return `${events} events`
    })
    await section.check(`${name}: two choices at once, each masked`, async () => {
      const reply = await streamed(front, '/v1/chat/completions', { ...body(model), n: 2 })
      for (const choice of [0, 1]) neverShown(reply, parts, choice)
      await endedWell(front, reply, 2)
      return undefined
    })
    await section.check(`${name}: in one piece, the same text`, () => inOnePiece(front, model, parts))
  }
}

async function inOnePiece(front: Front, model: string, parts: readonly Part[]): Promise<undefined> {
  const { stream_options: _, ...whole } = body(model)
  const { data, response } = await front.openai().chat.completions.create(whole).withResponse()
  assert.equal(data.choices[0]?.message.content, masked(parts))
  assert.equal(data.choices[0]?.finish_reason, 'stop')
  const ending = await endingOf(front, response.headers.get('x-request-id'))
  assert.equal(ending.output_tokens, data.usage?.completion_tokens)
  const { messages: _messages, ...rest } = whole
  const completion = await front.openai().completions.create({ ...rest, prompt: 'Say it.' })
  assert.equal(completion.choices[0]?.text, masked(parts))
  return undefined
}

/** The reasoning channel, and the answer after it. */
export async function thinkingChecks({ section, front, model }: Bench): Promise<void> {
  await section.check('thinking: reasoning and answer are masked at every moment', async () => {
    for (let i = 0; i < repetitions; i++) {
      const reply = await streamed(front, '/v1/chat/completions', body(model))
      const reasoning = textOf(reply.events, 0, 'reasoning')
      assert.equal(reasoning.text, masked(thought))
      alwaysPrefix(reasoning.steps, masked(thought))
      neverShown(reply, answer)
      absent(reply.bytes, valuesOf(thought))
      await endedWell(front, reply, 1)
    }
    return `${repetitions} streams`
  })
  await section.check('thinking: without a reply rule the model does say it', async () => {
    const reply = await streamed(front, '/v1/chat/completions', body(model), 'open')
    assert.equal(textOf(reply.events, 0, 'reasoning').text, said(thought))
    assert.equal(textOf(reply.events).text, said(answer))
    return undefined
  })
}

/** What a caller could read was a beginning of the masked text at every event: no value, and no part of one. */
function neverShown(reply: Streamed, parts: readonly Part[], choice = 0): void {
  const { text, steps } = textOf(reply.events, choice)
  assert.equal(text, masked(parts))
  alwaysPrefix(steps, masked(parts))
  absent(reply.bytes, valuesOf(parts))
}

function alwaysPrefix(steps: readonly string[], expected: string): void {
  for (const step of steps) assert.ok(expected.startsWith(step), `shown: ...${step.slice(-40)}`)
}

function absent(bytes: string, values: readonly string[]): void {
  for (const value of values) assert.ok(!bytes.includes(value), 'a value is in the bytes')
}

async function endedWell(front: Front, reply: Streamed, choices: number): Promise<void> {
  assert.equal(reply.status, 200)
  assert.ok(reply.done, 'no [DONE]')
  assert.deepEqual(
    finishReasons(reply.events),
    Array.from({ length: choices }, () => 'stop'),
  )
  const ending = await endingOf(front, reply.requestId)
  assert.equal(ending.outcome, 'completed')
  assert.equal(ending.output_tokens, usageOf(reply.events)?.completion_tokens)
  assert.ok((ending.output_tokens ?? 0) > 0, 'nothing was charged')
}
