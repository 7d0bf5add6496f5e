import type { ModelServerOptions } from './options.ts'
import { type Plan, planReply } from './plan.ts'
import type { Phase, Stats } from './record.ts'
import type { Ask } from './request.ts'
import type { Script } from './script.ts'
import { chatShape, completionShape, type Shape, usageOf } from './shape.ts'
import type { Wire } from './wire.ts'

/** One inference request on its way through the server. `phase` is kept current for whoever sees it abort. */
export interface Turn {
  readonly id: string
  readonly endpoint: 'chat' | 'completions'
  readonly ask: Ask
  readonly script: Script
  readonly options: ModelServerOptions
  readonly body: string
  readonly wire: Wire
  readonly stats: Stats
  phase: Phase
}

/** A script ended the answer early, as it was told to. */
export class EndedByScript extends Error {}

type Json = Readonly<Record<string, unknown>>

/** Answers by the plan, whole or as a stream. */
export async function answer(turn: Turn): Promise<void> {
  const plan = planReply(turn.ask, turn.script, turn.options, turn.body)
  const source = { ...turn, model: turn.ask.model, plan }
  const shape = turn.endpoint === 'chat' ? chatShape(source) : completionShape(source)
  if (turn.ask.stream) await stream(turn, plan, shape)
  else await whole(turn, plan, shape)
  for (const { finish } of plan.pieces) {
    if (finish) turn.stats.finished[finish] = (turn.stats.finished[finish] ?? 0) + 1
  }
}

async function whole(turn: Turn, plan: Plan, shape: Shape): Promise<void> {
  const { script, wire, stats } = turn
  await firstToken(turn, plan)
  for (const [index] of plan.pieces.entries()) {
    await wire.until(script.gate?.(index))
    if (index > 0) await gap(turn, plan)
    stats.generationTokens++
  }
  if (script.end?.how === 'stall') await wire.stall()
  if (script.end) endNow(turn)
  const usage = reported(turn, plan.pieces.length)
  const type = script.contentType === undefined ? {} : { 'content-type': script.contentType }
  wire.json(script.status ?? 200, shape.whole(usage), { ...script.headers, ...type })
}

async function stream(turn: Turn, plan: Plan, shape: Shape): Promise<void> {
  const { ask, script, wire, stats } = turn
  const type = script.contentType ?? 'text/event-stream; charset=utf-8'
  wire.head(script.status ?? 200, { 'content-type': type, ...script.headers })
  let events = 0
  const send = async (event: Json): Promise<void> => {
    await endAfter(turn, events, event)
    await wire.until(script.gate?.(events))
    await wire.event(event)
    events++
  }
  await endAfter(turn, 0)
  await firstToken(turn, plan)
  for (const event of shape.opening()) await send(event)
  for (const [index, piece] of plan.pieces.entries()) {
    if (index > 0) await gap(turn, plan)
    stats.generationTokens++
    await send(shape.event(piece, ask.continuousUsage ? reported(turn, index + 1) : undefined))
  }
  const usage = ask.includeUsage ? reported(turn, plan.pieces.length) : undefined
  if (usage) await send(shape.usageEvent(usage))
  await endAfter(turn, events)
  if (script.done !== false) await wire.write('data: [DONE]\n\n')
  wire.response.end()
}

function reported({ ask, script }: Turn, outputTokens: number): Json | undefined {
  if (script.usage === null) return undefined
  return script.usage ?? usageOf(ask, outputTokens)
}

async function firstToken(turn: Turn, plan: Plan): Promise<void> {
  const { options, script, stats, wire, ask } = turn
  turn.phase = 'prefill'
  stats.promptTokens += ask.promptTokens
  const usual = plan.random.normal(options.timeToFirstTokenMs, options.timeToFirstTokenStdDevMs)
  await wire.pause(script.firstTokenMs ?? usual)
  turn.phase = 'decode'
}

function gap({ options, script, wire }: Turn, plan: Plan): Promise<void> {
  const usual = plan.random.normal(options.interTokenLatencyMs, options.interTokenLatencyStdDevMs)
  return wire.pause(script.gapMs ?? usual)
}

/** Ends the stream when the script says that it ends after `events` events; `next` is the event that is then due. */
async function endAfter(turn: Turn, events: number, next?: Json): Promise<void> {
  const { end } = turn.script
  if (end?.after !== events) return
  const { wire } = turn
  if (end.how === 'stall') await wire.stall()
  if (end.how === 'error') {
    const error = {
      message: 'EngineCore encountered an issue.',
      type: 'InternalServerError',
      param: null,
      code: 500,
    }
    await wire.event({ error: end.error ?? error })
    await wire.write('data: [DONE]\n\n')
  }
  if (end.how === 'cut') {
    const text = `data: ${JSON.stringify(next ?? { choices: [] })}`
    await wire.write(text.slice(0, Math.ceil(text.length / 2)))
  }
  endNow(turn)
}

/** Breaks the connection, or ends properly for `close` and `error`: the HTTP body is complete and its content is not. */
export function endNow({ script, wire }: Turn): never {
  const how = script.end?.how
  if (how === 'reset') wire.reset()
  else if (how === 'cut') wire.cut()
  else wire.response.end()
  throw new EndedByScript()
}
