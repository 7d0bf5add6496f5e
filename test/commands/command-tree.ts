import type { Command } from 'commander'
import { buildProgram } from '../../src/commands/program.ts'

/** The program as it describes itself, without a process around it. */
export const program: Command = buildProgram({
  upstream: undefined,
  out: () => {},
  err: () => {},
  exit: () => {},
})

/** Commands that do something, in the order of `--help`. */
export const leaves = (command: Command = program): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)

/** `['audit', 'verify']` */
export const pathOf = (command: Command): string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()]

/** What of a command line names no command or option of the program; the whole line when it names no command. */
export function unknownWords(line: string): string[] {
  const words = line.split(' ')
  const path = (command: Command): string => `${pathOf(command).join(' ')} `
  const command = leaves().find((each) => `${line} `.startsWith(path(each)))
  if (command === undefined) return words
  const known = ['--help', ...command.options.flatMap(({ short, long }) => [short, long])]
  return words.filter((word) => /^--?[a-z]/.test(word) && !known.includes(word))
}
