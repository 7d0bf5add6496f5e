import { buildProgram } from '../../src/commands/program.ts'

export interface ProgramRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process. */
export async function runProgram(
  args: readonly string[],
  { upstream }: { readonly upstream?: string } = {},
): Promise<ProgramRun> {
  const run = { code: -1, out: '', err: '' }
  const program = buildProgram({
    upstream,
    out: (text) => {
      run.out += text
    },
    err: (text) => {
      run.err += text
    },
    exit: (code) => {
      run.code = code
    },
  })
  await program.parseAsync(args, { from: 'user' }).catch((error: Error) => {
    if (!error.constructor.name.endsWith('Error') || run.code === -1) throw error
  })
  return run
}
