/** What one choice says, each string a chunk of its own. */
export interface ChoiceScript {
  readonly content?: readonly string[]
  readonly reasoning?: readonly string[]
  readonly refusal?: readonly string[]
  readonly toolCalls?: readonly {
    readonly id?: string
    readonly name: string
    readonly arguments: readonly string[]
  }[]
  readonly finishReason?: string
}

/** Exact bytes, or a pause between them. */
export type Step = string | Uint8Array | { readonly waitMs: number }

/**
 * How one request is answered. All parts are optional; without a script the server answers by its mode. A script is
 * obeyed to the letter: `max_tokens` does not shorten it.
 */
export interface Script extends ChoiceScript {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly contentType?: string
  /** Several choices, sent in turn, a chunk of each. */
  readonly choices?: readonly ChoiceScript[]
  /** Field in which reasoning is sent: newer vLLM says `reasoning`. */
  readonly reasoningField?: 'reasoning' | 'reasoning_content'
  /** The exact body in place of events or JSON. */
  readonly body?: readonly Step[]
  /** Exact bytes on the socket in place of an HTTP response; then the connection ends. */
  readonly raw?: readonly Step[]
  /** The usage that is reported; `null`: none, even when asked for. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** `false`: the stream ends without `data: [DONE]`. */
  readonly done?: boolean
  readonly firstTokenMs?: number
  readonly gapMs?: number
  /** Ends early: before the head of the response, or after this many events (0: after the head alone). */
  readonly end?: {
    readonly after: 'nothing' | number
    /** `cut`: half an event and a reset. `error`: vLLM's way, an error event and then `[DONE]`. `stall`: never ends. */
    readonly how: 'reset' | 'close' | 'cut' | 'stall' | 'error'
    readonly error?: Readonly<Record<string, unknown>>
  }
  /** Awaited before each event: lets a test hold the stream instead of the clock. Only for scripts made by code. */
  readonly gate?: (eventIndex: number) => void | Promise<void>
}

type Check = (value: unknown) => boolean
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount: Check = (value) => typeof value === 'number' && value >= 0 && value <= 3_600_000
const isText: Check = (value) => typeof value === 'string'
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const isStep: Check = (value) => isText(value) || (isObject(value) && isCount(value['waitMs']))
const isToolCall: Check = (value) =>
  isObject(value) && isText(value['name']) && listOf(isText)(value['arguments'])
const ends = ['reset', 'close', 'cut', 'stall', 'error']
const isEnd: Check = (value) =>
  isObject(value) &&
  (value['after'] === 'nothing' || isCount(value['after'])) &&
  ends.includes(String(value['how']))

const choiceChecks: Readonly<Record<string, Check>> = {
  content: listOf(isText),
  reasoning: listOf(isText),
  refusal: listOf(isText),
  toolCalls: listOf(isToolCall),
  finishReason: isText,
}
const checks: Readonly<Record<string, Check>> = {
  ...choiceChecks,
  status: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
  headers: (value) => isObject(value) && Object.values(value).every(isText),
  contentType: isText,
  choices: listOf((choice) => fits(choice, choiceChecks)),
  reasoningField: (value) => value === 'reasoning' || value === 'reasoning_content',
  body: listOf(isStep),
  raw: listOf(isStep),
  usage: (value) => value === null || isObject(value),
  done: (value) => typeof value === 'boolean',
  firstTokenMs: isCount,
  gapMs: isCount,
  end: isEnd,
}

function fits(value: unknown, table: Readonly<Record<string, Check>>): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(([key, part]) => Object.hasOwn(table, key) && table[key]?.(part))
  )
}

/** Reads a script that came as JSON, in a header or in a prompt; `undefined` when it is not a script. */
export function parseScript(json: string): Script | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return fits(value, checks) ? (value as Script) : undefined
  } catch {
    return undefined
  }
}
