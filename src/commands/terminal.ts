import { createInterface } from 'node:readline/promises'

export interface TerminalListener {
  /** A key, as the characters that the terminal sends for it. */
  key(text: string): void
  resized(): void
  /** Ctrl-C, a stop signal, or nobody reads the output any more. */
  stopped(): void
}

/** What a person sits at; `Surroundings` has one where output goes to a terminal. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  /** It shows colors, and NO_COLOR is not set. */
  readonly colors: boolean
  /** Standard output is shown on it. */
  readonly shows: boolean
  /** Standard input comes from it: somebody can be asked. */
  readonly answers: boolean
  /** Asks one line on standard error. */
  ask(question: string): Promise<string>
  /** Takes keys one by one until the function that it returns is called, which gives the terminal back. */
  listen(listener: TerminalListener): () => void
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const CTRL_C = '\u0003'

/** The terminal of this process, whether or not it has one. */
export const processTerminal = (): Terminal => ({
  get columns() {
    return process.stdout.columns ?? 80
  },
  get rows() {
    return process.stdout.rows ?? 24
  },
  get colors() {
    return process.stdout.isTTY === true && process.stdout.hasColors()
  },
  get shows() {
    return process.stdout.isTTY === true
  },
  get answers() {
    return process.stdin.isTTY === true
  },
  ask,
  listen,
})

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // The end of the input is no answer, and would leave the question open for ever.
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([lines.question(question), closed])
  } finally {
    lines.close()
  }
}

function listen({ key, resized, stopped }: TerminalListener): () => void {
  const { stdin, stdout } = process
  // In raw mode Ctrl-C is a key like any other.
  const onData = (data: Buffer): void =>
    data.toString('latin1').includes(CTRL_C) ? stopped() : key(data.toString('latin1'))
  const keys = stdin.isTTY === true && stdout.isTTY === true
  for (const signal of stopSignals) process.on(signal, stopped)
  stdout.on('resize', resized).on('error', stopped)
  if (keys) stdin.setRawMode(true).on('data', onData).resume()
  return () => {
    for (const signal of stopSignals) process.off(signal, stopped)
    stdout.off('resize', resized)
    // The listener for errors stays: the last lines may still be under way to a reader that is gone.
    if (keys) stdin.off('data', onData).setRawMode(false).pause()
  }
}
