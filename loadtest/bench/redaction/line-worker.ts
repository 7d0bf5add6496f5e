// A detector in a process of its own: one JSON request a line on its standard input, one JSON answer a line on its
// standard output. One that does not answer in time is ended: a detector that hangs on a text is a result.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { jsonLine } from './worker-side.ts'

export class TooSlow extends Error {}

export interface WorkerOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
}

interface Waiting {
  resolve(line: string): void
  reject(error: Error): void
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

export class LineWorker {
  readonly #options: WorkerOptions
  #child: ChildProcess | undefined
  #waiting: Waiting | undefined
  #said = ''

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** One request at a time. */
  async ask<Answer>(request: object, timeoutMs: number): Promise<Answer> {
    const child = this.#child ?? this.#start()
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#waiting = { resolve, reject }
    const late = setTimeout(() => {
      reject(new TooSlow(`no answer after ${timeoutMs / 1000} s`))
      this.stop()
    }, timeoutMs)
    child.stdin?.write(jsonLine(request))
    try {
      const answer = JSON.parse(await promise) as Answer & { readonly error?: string }
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer
    } finally {
      clearTimeout(late)
      this.#waiting = undefined
    }
  }

  #start(): ChildProcess {
    const { command, args, cwd } = this.#options
    const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#said = ''
    // One that was ended for being late has nothing more to say to the request that came after.
    const waiting = (): Waiting | undefined => (this.#child === child ? this.#waiting : undefined)
    createInterface({ input: child.stdout }).on('line', (line) => waiting()?.resolve(line))
    child.stderr.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-2_000)
    })
    child.stdin.on('error', () => {})
    child.once('error', (error) => waiting()?.reject(error))
    child.once('exit', (code) => {
      waiting()?.reject(new Error(`ended with ${code}: ${lastLine(this.#said)}`))
      if (this.#child === child) this.#child = undefined
    })
    this.#child = child
    return child
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}
