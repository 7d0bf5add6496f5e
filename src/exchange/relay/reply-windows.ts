import type { JsonObject, ReplySlot } from '../../openai/call.ts'
import type { StreamWindow } from '../../redaction/finding.ts'
import type { RelayJob } from './job.ts'

type Rules = Pick<RelayJob, 'rules' | 'replacement' | 'restores'>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `tool_calls[0].arguments` -> `tool_calls[0]`; nothing for what no tool reads. */
function toolOf(channel: string): string | undefined {
  return channel.startsWith('tool_calls') || channel.startsWith('function_call')
    ? channel.slice(0, channel.indexOf('.'))
    : undefined
}

const nameOf = (call: unknown): string | undefined => {
  if (!isObject(call)) return undefined
  const target = call['function'] ?? call['custom'] ?? call
  const name = isObject(target) ? target['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

/**
 * Opens the windows of one reply: what masks, and behind it what turns pseudonyms back where the profile says so. Text
 * for a tool is told by the name that its call had; without one nothing is turned back.
 */
export class ReplyWindows {
  readonly #rules: Rules
  readonly #toolNames = new Map<string, string>()

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /** Text leaves as it came. */
  get inert(): boolean {
    return this.#rules.rules.inert && !this.#restoring
  }

  get #restoring(): boolean {
    return this.#rules.replacement.size > 0
  }

  /** Remembers which tools the choices of a reply, or of an event, call. */
  note(body: JsonObject): void {
    if (!this.#restoring || !Array.isArray(body['choices'])) return
    for (const choice of body['choices']) {
      const message = isObject(choice) ? (choice['delta'] ?? choice['message']) : undefined
      if (isObject(choice) && isObject(message)) this.#noteCalls(String(choice['index']), message)
    }
  }

  #noteCalls(choice: string, message: JsonObject): void {
    const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
    for (const [position, call] of calls.entries()) {
      const index = isObject(call) ? (call['index'] ?? position) : position
      this.#noteName(`${choice}/tool_calls[${index}]`, nameOf(call))
    }
    this.#noteName(`${choice}/function_call`, nameOf(message['function_call']))
  }

  #noteName(call: string, name: string | undefined): void {
    if (name !== undefined) this.#toolNames.set(call, name)
  }

  open({ choice, channel, kind }: Pick<ReplySlot, 'choice' | 'channel' | 'kind'>): StreamWindow {
    const { rules, replacement } = this.#rules
    const window = rules.open(kind, replacement.reply)
    return this.#restores(choice, channel)
      ? replacement.restoring(window, kind)
      : replacement.keeping(window, kind)
  }

  #restores(choice: number, channel: string): boolean {
    if (!this.#restoring) return false
    const call = toolOf(channel)
    if (call === undefined) return this.#rules.restores('reply')
    const tool = this.#toolNames.get(`${choice}/${call}`)
    return tool !== undefined && this.#rules.restores({ tool })
  }
}
