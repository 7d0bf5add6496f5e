import type { Terminal, TerminalListener } from '../../src/commands/terminal.ts'

export interface SimulatedTerminal extends Terminal {
  columns: number
  rows: number
  /** Who takes keys now; undefined when the terminal was given back. */
  readonly listener: TerminalListener | undefined
  readonly asked: string[]
}

/** A terminal that shows nothing to anybody: keys come from the test, and answers were given beforehand. */
export function simulatedTerminal({ answer = '', colors = false, shows = true } = {}): SimulatedTerminal {
  const terminal = {
    columns: 80,
    rows: 24,
    colors,
    shows,
    answers: true,
    listener: undefined as TerminalListener | undefined,
    asked: [] as string[],
    ask: async (question: string) => {
      terminal.asked.push(question)
      return answer
    },
    listen: (listener: TerminalListener) => {
      terminal.listener = listener
      return () => {
        terminal.listener = undefined
      }
    },
  }
  return terminal
}
