import type { Piece, Plan } from './plan.ts'
import type { Ask } from './request.ts'
import type { Script } from './script.ts'

type Json = Readonly<Record<string, unknown>>

/** How one endpoint puts pieces into JSON. */
export interface Shape {
  /** Events before the first token, one a choice; none for completions. */
  opening(): Json[]
  event(piece: Piece, usage: Json | undefined): Json
  /** The usage event of a stream. */
  usageEvent(usage: Json): Json
  whole(usage: Json | undefined): Json
}

interface Source {
  readonly id: string
  readonly model: string
  readonly ask: Ask
  readonly plan: Plan
  readonly script: Script
}

// A constant: the same request gives the same bytes.
const created = 1_767_225_600

const bytesOf = (text: string): number[] => [...Buffer.from(text, 'utf8')]
const indexes = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const textOf = (pieces: readonly Piece[], channel: Piece['channel']): string =>
  pieces.map((piece) => (piece.channel === channel ? piece.text : '')).join('')
const ofChoice = (plan: Plan, choice: number): Piece[] =>
  plan.pieces.filter((piece) => piece.choice === choice)
const finishOf = (pieces: readonly Piece[]): string | undefined => pieces.at(-1)?.finish

export function usageOf(ask: Ask, outputTokens: number): Json {
  return {
    prompt_tokens: ask.promptTokens,
    total_tokens: ask.promptTokens + outputTokens,
    completion_tokens: outputTokens,
  }
}

function chatLogprobs(pieces: readonly Piece[], top: number): Json {
  const one = (piece: Piece, rank: number): Json => ({
    token: piece.text,
    logprob: -0.125 * (rank + 1),
    bytes: bytesOf(piece.text),
  })
  const said = pieces.filter((piece) => piece.channel === 'content')
  return {
    content: said.map((piece) => ({
      ...one(piece, 0),
      top_logprobs: indexes(top).map((rank) => one(piece, rank)),
    })),
  }
}

function toolDelta({ text, tool }: Piece): Json {
  const head = tool?.id === undefined ? {} : { id: tool.id, type: 'function' }
  const name = tool?.name === undefined ? {} : { name: tool.name }
  return { tool_calls: [{ ...head, index: tool?.index ?? 0, function: { ...name, arguments: text } }] }
}

function toolCalls(pieces: readonly Piece[]): Json[] {
  const heads = pieces.filter((piece) => piece.tool?.name !== undefined)
  return heads.map(({ tool }) => ({
    id: tool?.id,
    type: 'function',
    function: {
      name: tool?.name,
      arguments: textOf(
        pieces.filter((piece) => piece.tool?.index === tool?.index),
        'tool',
      ),
    },
  }))
}

export function chatShape({ id, model, ask, plan, script }: Source): Shape {
  const reasoningField = script.reasoningField ?? 'reasoning'
  const head = { id, object: 'chat.completion.chunk', created, model }
  const delta = (piece: Piece): Json => {
    if (piece.channel === 'nothing') return {}
    if (piece.channel === 'tool') return toolDelta(piece)
    return { [piece.channel === 'reasoning' ? reasoningField : piece.channel]: piece.text }
  }
  const logprobs = (pieces: readonly Piece[]): Json | null =>
    ask.logprobs === undefined ? null : chatLogprobs(pieces, ask.logprobs)
  return {
    opening: () =>
      indexes(plan.choices).map((index) => ({
        ...head,
        choices: [{ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }],
      })),
    event: (piece, usage) => ({
      ...head,
      choices: [
        {
          index: piece.choice,
          delta: delta(piece),
          logprobs: logprobs([piece]),
          finish_reason: piece.finish ?? null,
        },
      ],
      ...(usage ? { usage } : {}),
    }),
    usageEvent: (usage) => ({ ...head, choices: [], usage }),
    whole: (usage) => ({
      ...head,
      object: 'chat.completion',
      choices: indexes(plan.choices).map((index) => {
        const said = ofChoice(plan, index)
        const reasoning = textOf(said, 'reasoning')
        return {
          index,
          message: {
            role: 'assistant',
            content: said.some((piece) => piece.channel === 'tool') ? null : textOf(said, 'content'),
            refusal: textOf(said, 'refusal') || null,
            tool_calls: toolCalls(said),
            ...(reasoning ? { [reasoningField]: reasoning } : {}),
          },
          logprobs: logprobs(said),
          finish_reason: finishOf(said),
        }
      }),
      ...(usage ? { usage } : {}),
    }),
  }
}

function completionLogprobs(pieces: readonly Piece[], top: number): Json {
  let offset = 0
  return {
    tokens: pieces.map((piece) => piece.text),
    token_logprobs: pieces.map(() => -0.125),
    top_logprobs: pieces.map((piece) => (top > 0 ? { [piece.text]: -0.125 } : null)),
    text_offset: pieces.map((piece) => {
      offset += piece.text.length
      return offset - piece.text.length
    }),
  }
}

export function completionShape({ id, model, ask, plan }: Source): Shape {
  const head = { id, object: 'text_completion', created, model }
  const choice = (index: number, said: readonly Piece[]): Json => ({
    index,
    text: textOf(said, 'content'),
    logprobs: ask.logprobs === undefined ? null : completionLogprobs(said, ask.logprobs),
    finish_reason: finishOf(said) ?? null,
    stop_reason: null,
  })
  return {
    opening: () => [],
    event: (piece, usage) => ({
      ...head,
      choices: [choice(piece.choice, [piece])],
      ...(usage ? { usage } : {}),
    }),
    usageEvent: (usage) => ({ ...head, choices: [], usage }),
    whole: (usage) => ({
      ...head,
      choices: indexes(plan.choices).map((index) => choice(index, ofChoice(plan, index))),
      ...(usage ? { usage } : {}),
    }),
  }
}
