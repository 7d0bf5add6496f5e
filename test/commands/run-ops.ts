import { buildProgram } from '../../src/commands/program.ts'
import type { Surroundings } from '../../src/commands/surroundings.ts'
import type { SimulatedOps } from '../support/simulated-ops.ts'
import type { ProgramRun } from './run-program.ts'

/** Runs an operator's command line in this process, against a gateway whose profile is named. */
export async function runOps(
  { profile }: Pick<SimulatedOps, 'profile'>,
  args: readonly string[],
  more: Partial<Surroundings> = {},
): Promise<ProgramRun> {
  const run = { code: -1, out: '', err: '' }
  const program = buildProgram({
    upstream: undefined,
    ops: { profile },
    out: (text) => {
      run.out += text
    },
    err: (text) => {
      run.err += text
    },
    exit: (code) => {
      run.code = code
    },
    ...more,
  })
  await program.parseAsync(args, { from: 'user' }).catch((error: Error) => {
    if (run.code === -1) throw error
  })
  return run
}
