import type { Command } from 'commander'
import { addChanges } from './quota/program-changes.ts'
import { connectionHelp, withConnection } from './quota/program-connection.ts'
import { addFiles } from './quota/program-files.ts'
import { addLimits, addLooks } from './quota/program-looks.ts'
import type { Run } from './run.ts'
import type { Surroundings } from './surroundings.ts'

/** The commands that speak with the operators' listener: `sallyport quota`, `sallyport why`, `sallyport pools`. */
export function addQuota(program: Command, run: Run, surroundings: Surroundings): void {
  const quota = withConnection(program.command('quota'))
    .summary('see and change the limits of a gateway that runs')
    .description(
      "See and change the limits of a gateway that runs, over its operators' listener: mutual TLS, and a token with an " +
        "operator's role.",
    )
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', connectionHelp)
  addLimits(quota, run, surroundings)
  addChanges(quota, run, surroundings)
  addLooks(quota, run, surroundings)
  addFiles(quota, run, surroundings)
}

export function addPools(program: Command, run: Run, surroundings: Surroundings): void {
  withConnection(program.command('pools'))
    .summary('show the model servers of a gateway that runs, and how they are')
    .description(
      'Show the pools of model servers as the gateway that answers sees them: state, share, calls, limit and load of each server.',
    )
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', poolsHelp)
    .action(run(async (options) => (await import('./pools.ts')).pools(options, surroundings)))
}

export function addWhy(program: Command, run: Run, surroundings: Surroundings): void {
  withConnection(program.command('why'))
    .summary('say why a call was refused, and what to do about it')
    .description(
      'Say why a call was refused, and what to do about it: by its request id, from the x-request-id header or the body ' +
        'of the error. Refusals are kept for a day by the replica that refused.',
    )
    .argument('<request-id>', 'id of the request')
    .option('--json', 'print the decision as JSON')
    .addHelpText('after', whyHelp)
    .action(run(async (id, options) => (await import('./why.ts')).why(id, options, surroundings)))
}

const whyHelp = `
Examples:
  sallyport why 0198f2c4-7a1e-7c35-9d0e-3f6c0d5b8a11
  sallyport why 0198f2c4-7a1e-7c35-9d0e-3f6c0d5b8a11 --json

Exit code 0: it was explained; 1: nothing is recorded, or the gateway did not answer; 2: wrong usage.
${connectionHelp}`

const poolsHelp = `
Examples:
  sallyport pools
  sallyport pools --json

Exit code 0: it was shown; 1: the gateway did not answer; 2: wrong usage.
${connectionHelp}`
