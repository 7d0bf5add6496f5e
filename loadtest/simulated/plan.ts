import type { ModelServerOptions } from './options.ts'
import { type Random, seededRandom, seedOf } from './random.ts'
import type { Ask } from './request.ts'
import type { ChoiceScript, Script } from './script.ts'
import { randomTokens, tokenize } from './text.ts'

/** One token, or one scripted chunk, of one choice. */
export interface Piece {
  readonly choice: number
  readonly channel: 'content' | 'reasoning' | 'refusal' | 'tool' | 'nothing'
  readonly text: string
  /** For tool calls: which one, and its head when this piece begins it. */
  readonly tool?: { readonly index: number; readonly id?: string; readonly name?: string }
  /** Set on the last piece of a choice, as vLLM does. */
  finish?: string
}

/** All that will be said, in the order in which it is sent. */
export interface Plan {
  readonly choices: number
  readonly pieces: readonly Piece[]
  readonly random: Random
}

/** Decides what is said: by the script, else by a fixed reply, else by the mode. Each choice of each prompt is one. */
export function planReply(ask: Ask, script: Script, options: ModelServerOptions, body: string): Plan {
  const random = seededRandom(seedOf(options.seed, body))
  const scripted = scriptedChoices(script)
  const choices =
    scripted?.map(pieces) ??
    Array.from({ length: ask.n * ask.prompts.length }, (_, choice) =>
      spokenPieces(ask, options, choice, random),
    )
  return { choices: choices.length, pieces: interleave(choices), random }
}

function scriptedChoices(script: Script): readonly ChoiceScript[] | undefined {
  if (script.choices) return script.choices
  return script.content || script.reasoning || script.refusal || script.toolCalls ? [script] : undefined
}

function pieces(script: ChoiceScript, choice: number): Piece[] {
  const said = (channel: Piece['channel'], texts: readonly string[] | undefined): Piece[] =>
    (texts ?? []).map((text) => ({ choice, channel, text }))
  const calls = (script.toolCalls ?? []).flatMap((call, index): Piece[] => [
    {
      choice,
      channel: 'tool',
      text: '',
      tool: { index, id: call.id ?? `chatcmpl-tool-${index}`, name: call.name },
    },
    ...call.arguments.map((text): Piece => ({ choice, channel: 'tool', text, tool: { index } })),
  ])
  const all = [
    ...said('reasoning', script.reasoning),
    ...said('content', script.content),
    ...said('refusal', script.refusal),
    ...calls,
  ]
  return finished(all, choice, script.finishReason ?? (calls.length > 0 ? 'tool_calls' : 'stop'))
}

function spokenPieces(ask: Ask, options: ModelServerOptions, choice: number, random: Random): Piece[] {
  if (ask.forcedTool !== undefined) {
    return pieces(
      { toolCalls: [{ name: ask.forcedTool, arguments: ['{"input":', '"', 'simulated', '"}'] }] },
      choice,
    )
  }
  const tokens = spokenTokens(ask, options, Math.floor(choice / ask.n), random)
  const kept = tokens.slice(0, ask.outputTokensMax)
  const said = kept.map((text): Piece => ({ choice, channel: 'content', text }))
  return finished(said, choice, kept.length < tokens.length ? 'length' : 'stop')
}

function spokenTokens(
  ask: Ask,
  options: ModelServerOptions,
  prompt: number,
  random: Random,
): readonly string[] {
  if (options.reply.length === 1) return tokenize(options.reply[0] ?? '')
  if (options.reply.length > 1) return options.reply
  if (options.mode === 'echo') return tokenize(ask.echoes[prompt] ?? '')
  // One more than fits, now and then, so that some replies end for length as real ones do.
  const count = 1 + Math.floor(random.next() * Math.min(64, ask.outputTokensMax + 1))
  return randomTokens(random, count)
}

function finished(all: Piece[], choice: number, finish: string): Piece[] {
  const last = all.at(-1)
  if (last === undefined) return [{ choice, channel: 'nothing', text: '', finish }]
  last.finish = finish
  return all
}

function interleave(choices: readonly Piece[][]): Piece[] {
  const longest = Math.max(0, ...choices.map((choice) => choice.length))
  return Array.from({ length: longest }, (_, index) =>
    choices.flatMap((choice) => choice[index] ?? []),
  ).flat()
}
