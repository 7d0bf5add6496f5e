import type { ExitCode } from './surroundings.ts'

/** Makes an action of a command: exit code, and errors as one line. */
export type Run = <Args extends unknown[]>(
  command: (...args: Args) => Promise<ExitCode>,
) => (...args: Args) => Promise<void>
