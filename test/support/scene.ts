/**
 * A running stack whose model server plays one script at a time, and the question that every ending must answer: was
 * the exchange accounted for, exactly once, and is the gateway well afterwards?
 */
import assert from 'node:assert/strict'
import type { Script } from '../../loadtest/model-server.ts'
import { type Stack, type StackOptions, startStack, until } from './stack.ts'

type Section = Record<string, unknown>

/** What one exchange left behind. */
export interface Ending {
  readonly outcome: string
  readonly status: number
  /** Code of the refusal; `undefined` when it went well. */
  readonly code: string | undefined
  /** Its audit events, in order. */
  readonly records: readonly string[]
  /** The audit record of the ending. */
  readonly record: Section
  /** Its one log line. */
  readonly line: Section
  /** How a stream that had begun was counted; `undefined` when none had. */
  readonly streamEnd: string | undefined
}

interface Snapshot {
  readonly lines: number
  readonly records: number
  readonly samples: ReadonlyMap<string, number>
}

export class Scene {
  readonly stack: Stack
  /** How the next requests are answered; `undefined`: a short good reply. */
  script: Script | undefined

  private constructor(stack: (script: () => Script | undefined) => Stack) {
    this.stack = stack(() => this.script)
  }

  /** A stack in which one exchange at a time is allowed, so that a slot that leaks is seen by the next call. */
  static async open(options: StackOptions = {}): Promise<Scene> {
    const good: Script = { content: ['Good ', 'day.'] }
    let scene: Scene | undefined
    const stack = await startStack({
      ...options,
      policies: options.policies ?? { roles: { app: { limits: { inFlight: 1 } } } },
      model: {
        script: ({ path }) => scene?.script ?? (path.startsWith('/v1/emb') ? undefined : good),
        ...options.model,
      },
    })
    scene = new Scene(() => stack)
    return scene
  }

  chat(fields: Section = {}, headers?: Record<string, string>) {
    return this.stack.post('/v1/chat/completions', { ...chatBody, ...fields }, headers)
  }

  stream(fields: Section = {}) {
    return this.chat({ stream: true, ...fields })
  }

  /**
   * Runs `act`, which makes exactly one exchange, with the script, and waits until it is accounted for. Fails when any
   * account is missing, double or about another exchange, or when the next good call does not work.
   */
  async ending(script: Script | undefined, act: () => Promise<unknown>): Promise<Ending> {
    await this.#quiet(0)
    this.script = script
    const before = await this.#snapshot()
    await act()
    await this.#quiet(before.lines + 1)
    const ending = await this.#account(before)
    this.script = undefined
    const next = await this.chat()
    assert.equal(next.status, 200, `the next call works: ${await next.text()}`)
    return ending
  }

  /** Waits until at least so many exchanges have been logged, and each of them is in the audit log. */
  async #quiet(lines: number): Promise<void> {
    await until(() => {
      const logged = endedLines(this.stack).length
      const recorded = this.stack.audit().filter(({ event }) => event === 'exchange.ended').length
      return logged >= lines && recorded >= logged
    })
    await until(async () => (await this.#snapshot()).samples.get('sallyport_requests_in_flight') === 0)
  }

  async #account(before: Snapshot): Promise<Ending> {
    const lines = endedLines(this.stack).slice(before.lines)
    const records = this.#records(before)
    assert.equal(lines.length, 1, 'one log line')
    const [line] = lines as [Section]
    const events = records.map(({ event }) => String(event))
    assert.ok(['exchange.ended', 'exchange.admitted,exchange.ended'].includes(events.join()), events.join())
    for (const { request_id } of records) assert.equal(request_id, line['request_id'])
    const record = records.at(-1) as Section
    const moved = difference(before.samples, (await this.#snapshot()).samples)
    const counted = totals(moved, 'sallyport_requests_total')
    assert.deepEqual(counted, [[`code="${line['status']}",outcome="${line['outcome']}"`, 1]])
    assert.equal(moved.get('sallyport_active_streams') ?? 0, 0, 'no stream is left open')
    const ends = totals(moved, 'sallyport_stream_end_total')
    assert.ok(ends.length <= 1 && ends.every(([, times]) => times === 1), `one end: ${ends}`)
    assert.equal(record['outcome'], line['outcome'])
    return {
      outcome: String(line['outcome']),
      status: Number(line['status']),
      code: line['refusal'] as string | undefined,
      records: events,
      record,
      line,
      streamEnd: ends[0]?.[0].replace(/^reason="|"$/g, ''),
    }
  }

  #records(before: Snapshot): Section[] {
    return this.stack.audit().slice(before.records)
  }

  async #snapshot(): Promise<Snapshot> {
    return {
      lines: endedLines(this.stack).length,
      records: this.stack.audit().length,
      samples: samplesOf(await this.stack.metrics()),
    }
  }
}

export const chatBody = { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 64 }

const endedLines = (stack: Stack): Section[] => stack.log().filter(({ event }) => event === 'exchange.ended')

/** `name{labels}` -> value, of the Prometheus text format. */
export function samplesOf(exposition: string): Map<string, number> {
  const lines = exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]))
}

function difference(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const moved = new Map<string, number>()
  for (const [name, value] of after) {
    const by = value - (before.get(name) ?? 0)
    if (by !== 0) moved.set(name, by)
  }
  return moved
}

/** The label sets of one metric that moved, without endpoint and method. */
const totals = (moved: ReadonlyMap<string, number>, metric: string): [string, number][] =>
  [...moved]
    .filter(([name]) => name.startsWith(`${metric}{`))
    .map(([name, by]) => [name.replace(/^[^{]*\{(?:endpoint="[^"]*",method="[^"]*",)?|\}$/g, ''), by])

/** The JSON of each `data:` line but `[DONE]`; fails when a line is anything but an event, a comment or a blank. */
export function eventsOf(stream: string): Section[] {
  const lines = stream.split('\n').filter((line) => line !== '' && !line.startsWith(':'))
  for (const line of lines) assert.match(line, /^data: (\{.*\}|\[DONE\])$/)
  return lines.filter((line) => line !== 'data: [DONE]').map((line) => JSON.parse(line.slice(6)))
}

/** How a stream ends for its reader: `[DONE]`, the code of an error event, or a bare close. */
export function endOf(stream: string): string {
  if (stream.endsWith('data: [DONE]\n\n')) return '[DONE]'
  const error = eventsOf(stream).at(-1)?.['error'] as { code?: string } | undefined
  return error?.code ?? 'bare close'
}
