import type { Command } from 'commander'
import type { Run } from '../run.ts'
import type { Surroundings } from '../surroundings.ts'

/** Quotas that are kept in a file, in a repository say. */
export function addFiles(quota: Command, run: Run, surroundings: Surroundings): void {
  addDiff(quota, run, surroundings)
  addApply(quota, run, surroundings)
}

const withFile = (command: Command): Command =>
  command
    .argument('<file>', 'YAML or JSON with `limits`, in the form of policies.yaml; - reads standard input')
    .option('--prune', "also delete operators' quotas that the file does not name")

function addDiff(quota: Command, run: Run, surroundings: Surroundings): void {
  withFile(quota.command('diff'))
    .description("Compare a file with operators' quotas: what `quota apply` would do. Changes nothing.")
    .option('--json', 'print the differences as JSON')
    .addHelpText('after', help.diff)
    .action(
      run(async (file, _options, command: Command) =>
        (await import('./diff.ts')).quotaDiff(file, command.optsWithGlobals(), surroundings),
      ),
    )
}

function addApply(quota: Command, run: Run, surroundings: Surroundings): void {
  withFile(quota.command('apply'))
    .description(
      "Make operators' quotas what a file says. A second run changes nothing; at the first that is refused it stops.",
    )
    .option('--dry-run', 'show what would change, and send nothing')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', help.apply)
    .action(
      run(async (file, _options, command: Command) =>
        (await import('./apply.ts')).quotaApply(file, command.optsWithGlobals(), surroundings),
      ),
    )
}

const help = {
  diff: `
Examples:
  sallyport quota diff quotas.yaml
  sallyport quota diff quotas.yaml --prune --json

The file: limits: {tenant-tokens: {counts: total_tokens, per: minute, amount: 100000, by: [tenant]}}
Exit code 0: no difference; 1: there are differences; 2: it could not be compared; 3: the file is wrong.`,
  apply: `
Examples:
  sallyport quota apply quotas.yaml --dry-run
  sallyport quota apply quotas.yaml --prune

Exit code 0: it is as the file says; 1: it stopped, and says where; 2: wrong usage; 3: the file is wrong, nothing was sent.`,
}
