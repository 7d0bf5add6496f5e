/**
 * `quota top`: usage, again and again.
 *
 * 1. A terminal is given back on every ending: q, Ctrl-C, a stop signal, an error.
 * 2. The first answer must come; after that a failure is shown, and asking goes on.
 * 3. The next question is asked when the answer to the one before is there: a slow gateway is not pressed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpsClient } from '../ops-client.ts'
import { jsonText } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { noPaint, paint } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import { type Shown, type Size, type Snapshot, type Sorting, screenLines, sortings } from './top-screen.ts'
import { readUsage, usageJson } from './usage.ts'

export interface TopOptions extends JsonOption, ConnectionOptions {
  /** Seconds. */
  readonly interval: number
  readonly once?: boolean
  readonly sort: Sorting
  readonly tenant?: string
}

const BUCKETS_MAX = 1_000

const screen = {
  /** A screen of its own, so that what stood there comes back; no cursor. */
  enter: '\u001b[?1049h\u001b[?25l',
  leave: '\u001b[?25h\u001b[?1049l',
  home: '\u001b[H',
  endOfLine: '\u001b[K',
  below: '\u001b[J',
} as const

/** `sallyport quota top`: full screen on a terminal; elsewhere one snapshot after another. */
export async function quotaTop(options: TopOptions, surroundings: Surroundings): Promise<ExitCode> {
  return await withClient(options, surroundings, async (client) => {
    const { terminal } = surroundings
    const onScreen = terminal?.shows === true && !options.once && !options.json
    const top = new Top(client, options, surroundings)
    await top.read()
    if (options.once) top.print()
    else if (onScreen) await top.runOn(terminal)
    else await top.runPlain()
    return exitCodes.ok
  })
}

/** Without a terminal: a table for whoever reads the output later. */
const plainSize: Size = { columns: Number.POSITIVE_INFINITY, rows: BUCKETS_MAX, paint: noPaint }

class Top {
  readonly #client: OpsClient
  readonly #options: TopOptions
  readonly #surroundings: Surroundings
  readonly #stop = new AbortController()
  #snapshot: Snapshot | undefined
  #failure: string | undefined
  #sorting: Sorting

  constructor(client: OpsClient, options: TopOptions, surroundings: Surroundings) {
    this.#client = client
    this.#options = options
    this.#surroundings = surroundings
    this.#sorting = options.sort
  }

  async read(): Promise<void> {
    const { tenant } = this.#options
    const filter = tenant === undefined ? {} : { tenant }
    try {
      const usage = await readUsage(this.#client, filter, { bucketsMax: BUCKETS_MAX })
      this.#snapshot = { usage, atMs: Date.now() }
      this.#failure = undefined
    } catch (error) {
      if (!(error instanceof CommandFailed) || this.#snapshot === undefined) throw error
      this.#failure = error.message
    }
  }

  print(): void {
    const { out } = this.#surroundings
    if (this.#snapshot === undefined) return
    if (!this.#options.json) out(`${this.#lines(this.#snapshot, plainSize).join('\n')}\n`)
    else if (this.#options.once) out(jsonText(usageJson(this.#snapshot.usage)))
    // One line each, so that a program can read them as they come.
    else out(`${JSON.stringify(JSON.parse(jsonText(usageJson(this.#snapshot.usage))))}\n`)
  }

  async runPlain(): Promise<void> {
    const giveBack = this.#surroundings.terminal?.listen(this.#listener())
    try {
      while (!this.#stop.signal.aborted) {
        if (this.#failure === undefined) this.print()
        else this.#surroundings.err(`${this.#failure}\n`)
        await this.#next()
        if (!this.#options.json) this.#surroundings.out('\n')
      }
    } finally {
      giveBack?.()
    }
  }

  async runOn(terminal: Terminal): Promise<void> {
    const { out } = this.#surroundings
    const giveBack = terminal.listen(this.#listener(() => this.#draw(terminal)))
    out(screen.enter)
    try {
      while (!this.#stop.signal.aborted) {
        this.#draw(terminal)
        await this.#next()
      }
    } finally {
      out(screen.leave)
      giveBack()
    }
  }

  #listener(draw = (): void => {}): Parameters<Terminal['listen']>[0] {
    return {
      key: (text) => {
        if (/^q$/i.test(text)) this.#stop.abort()
        if (text !== 's') return
        this.#sorting = sortings[(sortings.indexOf(this.#sorting) + 1) % sortings.length] as Sorting
        draw()
      },
      resized: draw,
      stopped: () => this.#stop.abort(),
    }
  }

  /** Waits for the interval, then reads; ends early when it is to stop. */
  async #next(): Promise<void> {
    const { signal } = this.#stop
    await sleep(this.#options.interval * 1000, undefined, { signal }).catch(() => {})
    if (!signal.aborted) await Promise.race([this.read(), untilAborted(signal)])
  }

  #draw({ columns, rows, colors }: Terminal): void {
    if (this.#snapshot === undefined || this.#stop.signal.aborted) return
    const size: Size = { columns, rows: rows - 1, paint: colors ? paint : noPaint }
    const lines = this.#lines(this.#snapshot, size).map((line) => `${line}${screen.endOfLine}\r\n`)
    const keys = 'q ends it, s sorts by another column'.slice(0, columns)
    this.#surroundings.out(`${screen.home}${lines.join('')}${keys}${screen.endOfLine}${screen.below}`)
  }

  #lines(snapshot: Snapshot, size: Size): string[] {
    const { tenant, interval } = this.#options
    const shown: Shown = {
      origin: this.#client.origin,
      sorting: this.#sorting,
      tenant,
      intervalSeconds: interval,
      failure: this.#failure,
      nowMs: Date.now(),
    }
    return screenLines(snapshot, shown, size)
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
