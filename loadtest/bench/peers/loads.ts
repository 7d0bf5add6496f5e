/** What is asked of every row: bodies, how many at a time, and what a right answer is. */
import { chunks } from './model.ts'

export interface Load {
  readonly name: string
  readonly title: string
  readonly path: '/v1/chat/completions' | '/v1/embeddings'
  readonly body: string
  /** Requests at a time. */
  readonly concurrency: number
  /** How long new requests are begun, of a full run; what runs then is awaited. */
  readonly budgetMs: number
  /** Events of one stream. */
  readonly events?: number
  isRight(reply: string): boolean
}

const contents = /"content":\s*"([^"]*)"/g
const SENTENCE =
  'The quick brown fox jumps over the lazy dog and then it writes a report about it for everyone. '
const KB = 1_000
const EMBEDDING_INPUTS = 16
const SHORT_EVENTS = 128
const LONG_EVENTS = 1_000

const chat = (characters: number): string =>
  JSON.stringify({
    model: 'demo',
    messages: [
      { role: 'user', content: SENTENCE.repeat(characters / SENTENCE.length + 1).slice(0, characters) },
    ],
    max_tokens: 32,
  })

const isWhole = (reply: string): boolean => reply.includes('"chat.completion"') && reply.includes('brown fox')

export const shortChat: Load = {
  name: 'chat',
  title: 'chat, 1 KB, 8 at a time',
  path: '/v1/chat/completions',
  body: chat(KB),
  concurrency: 8,
  budgetMs: 1_500,
  isRight: isWhole,
}

export const loads: readonly Load[] = [
  shortChat,
  { ...shortChat, name: 'knee', title: 'chat, 1 KB, 64 at a time', concurrency: 64, budgetMs: 1_500 },
  stream('stream-128', SHORT_EVENTS, 700),
  stream('stream-1000', LONG_EVENTS, 2_000),
  {
    ...shortChat,
    name: 'prompt-500k',
    title: 'chat, 500 KB, 2 at a time',
    body: chat(500 * KB),
    concurrency: 2,
    budgetMs: 800,
  },
  {
    name: 'embeddings',
    title: `embeddings, ${EMBEDDING_INPUTS} inputs of 500 characters, 4 at a time`,
    path: '/v1/embeddings',
    body: JSON.stringify({
      model: 'demo',
      input: Array.from({ length: EMBEDDING_INPUTS }, (_, index) =>
        `${index} ${SENTENCE.repeat(6)}`.slice(0, 500),
      ),
    }),
    concurrency: 4,
    budgetMs: 700,
    isRight: (reply) => reply.split('"embedding":').length === EMBEDDING_INPUTS + 1,
  },
]

/** Eight at a time, an event every two milliseconds each: they arrive one by one and not in bursts. */
function stream(name: string, events: number, budgetMs: number): Load {
  return {
    name,
    title: `stream of ${events} events, 8 at a time`,
    path: '/v1/chat/completions',
    body: JSON.stringify({
      model: 'demo',
      stream: true,
      messages: [{ role: 'user', content: 'tell me' }],
      max_tokens: events,
    }),
    concurrency: 8,
    budgetMs,
    events,
    isRight: streamOf(chunks(events).join('')),
  }
}

/** The whole text, in whatever number of events: a gateway that looks for values over several events may join some. */
function streamOf(text: string): (reply: string) => boolean {
  return (reply) =>
    reply.trimEnd().endsWith('[DONE]') &&
    [...reply.matchAll(contents)].map(([, content]) => content).join('') === text
}
