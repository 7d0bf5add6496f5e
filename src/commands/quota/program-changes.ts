import { type Command, Option } from 'commander'
import { counted, dimensions } from '../../policy/limit.ts'
import type { Run } from '../run.ts'
import type { Surroundings } from '../surroundings.ts'
import { durationOption } from './duration-option.ts'
import { matchOption, reasonOption } from './override-options.ts'
import { amountOption, burstOption, byOption } from './rule-numbers.ts'

/** What changes limits or what is used of them. */
export function addChanges(quota: Command, run: Run, surroundings: Surroundings): void {
  addSet(quota, run, surroundings)
  addDelete(quota, run, surroundings)
  addReset(quota, run, surroundings)
  addOverride(quota, run, surroundings)
  addOverrides(quota, run, surroundings)
}

function addSet(quota: Command, run: Run, surroundings: Surroundings): void {
  const set = quota
    .command('set')
    .summary("make an operator's quota, or change one")
    .description(
      "Make an operator's quota, or change some fields of a limit: what is not said stays as it is. It takes effect at " +
        'once on every replica, wins over the configuration, and stands in the audit log.',
    )
    .argument('<name>', 'name of the limit: a new one, or one of `quota list`')
  withRule(set)
    .option('--if-match <version>', 'change it only in this version; else in the one that is read first')
    .option('--dry-run', 'show what would change, and send nothing')
    .option('--json', 'print the change as JSON')
    .addHelpText('after', help.set)
    .action(
      run(async (name, _options, command: Command) =>
        (await import('./set.ts')).quotaSet(name, command.optsWithGlobals(), surroundings),
      ),
    )
}

const withRule = (command: Command): Command =>
  command
    .option('--amount <number>', 'units in one period, or at the same time', amountOption)
    .addOption(new Option('--counts <what>', 'what is counted').choices(counted))
    .addOption(
      new Option('--per <period>', 'second, minute, hour: a rate; day, month: a budget').choices([
        'second',
        'minute',
        'hour',
        'day',
        'month',
      ]),
    )
    .option(
      '--burst <number>',
      'rates: most units at once; default: what follows from the amount',
      burstOption,
    )
    .option(
      '--by <dimensions>',
      'what buckets are told apart by: tenant,model; or none',
      byOption(dimensions),
    )
    .option('--organization <glob...>', 'only these organizations')
    .option('--tenant <glob...>', 'only these tenants')
    .option('--principal <glob...>', 'only these principals, <issuer>/<subject>')
    .option('--role <glob...>', 'only these roles')
    .option('--model <glob...>', 'only these models')
    .option('--anybody', 'drop what was said about whom it is for')
    .addOption(
      new Option('--mode <mode>', 'shadow: count and report, refuse nothing').choices(['enforce', 'shadow']),
    )
    .addOption(
      new Option('--on-store-failure <what>', 'while the shared store is away').choices([
        'lease',
        'closed',
        'open',
      ]),
    )
    .option('--time-zone <name>', 'of the calendar of budgets, such as Europe/Berlin')

function addDelete(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('delete')
    .description("Take an operator's quota away: what the configuration says under that name applies again.")
    .argument('<name>', 'name of the limit')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help.delete)
    .action(
      run(async (name, _options, command: Command) =>
        (await import('./delete.ts')).quotaDelete(name, command.optsWithGlobals(), surroundings),
      ),
    )
}

function addReset(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('reset')
    .description('Empty one bucket, as if nothing had been used. The limit stays.')
    .argument('<key>', 'key of the bucket, as `quota usage` prints it, in quotes')
    .option('--reason <text>', 'why, for the audit log', reasonOption)
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the state of the bucket as JSON')
    .addHelpText('after', help.reset)
    .action(
      run(async (key, _options, command: Command) =>
        (await import('./reset.ts')).quotaReset(key, command.optsWithGlobals(), surroundings),
      ),
    )
}

function addOverride(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('override')
    .summary('give some buckets of a limit another amount, for a time')
    .description(
      'Give some buckets of a limit another amount, for a time: it ends by itself, wins over everything else, and its ' +
        'reason stands in the audit log.',
    )
    .argument('<limit>', 'name of the limit')
    .option(
      '--match <pairs>',
      'which buckets: tenant=acme, or tenant=acme,model=llama; left out where the limit has but one',
      matchOption(dimensions),
    )
    .requiredOption('--amount <number>', 'units in one period, or at the same time', amountOption)
    .option('--burst <number>', 'rates: most units at once', burstOption)
    .requiredOption('--for <time>', 'how long: 45m, 2h, 1d12h; at most 31d', durationOption)
    .requiredOption('--reason <text>', 'why, for the audit log', reasonOption)
    .option('--dry-run', 'show what would be sent, and send nothing')
    .option('--json', 'print the override as JSON')
    .addHelpText('after', help.override)
    .action(
      run(async (limit, _options, command: Command) =>
        (await import('./override.ts')).quotaOverride(limit, command.optsWithGlobals(), surroundings),
      ),
    )
}

function addOverrides(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('overrides')
    .description('List overrides that run, or end one before its time.')
    .option('--end <id>', 'end this override now')
    .option('--json', 'print the overrides as JSON')
    .addHelpText('after', help.overrides)
    .action(
      run(async (_options, command: Command) =>
        (await import('./overrides.ts')).quotaOverrides(command.optsWithGlobals(), surroundings),
      ),
    )
}

const help = {
  set: `
Examples:
  sallyport quota set tenant-tokens --amount 200000 --dry-run
  sallyport quota set tenant-tokens --amount 200000 --if-match 3
  sallyport quota set new-limit --counts requests --per minute --amount 600 --by tenant,model --mode shadow
  sallyport quota set acme-budget --counts cost --per month --amount 250 --tenant acme --time-zone Europe/Berlin

Somebody else may change the limit at the same time: then nothing is changed and the exit code is 1.
Exit code 0: it is as said (--dry-run: it would be); 1: it was refused or changed meanwhile; 2: wrong usage.`,
  delete: `
Examples:
  sallyport quota delete tenant-tokens
  sallyport quota delete tenant-tokens --yes --json

Exit code 0: it is gone; 1: there is none, somebody said no, or the gateway refused; 2: wrong usage.`,
  reset: `
Examples:
  sallyport quota reset "tenant-tokens|total_tokens/minute|tenant=acme"
  sallyport quota reset "tenant-tokens|total_tokens/minute|tenant=acme" --reason "load test" --yes

Exit code 0: it is empty; 1: somebody said no, or the gateway refused; 2: wrong usage.`,
  override: `
Examples:
  sallyport quota override tenant-tokens --match tenant=acme --amount 500000 --for 2h --reason "launch day"
  sallyport quota override role.app.in_flight --match tenant=acme --amount 64 --for 1d --reason "batch" --dry-run

Exit code 0: it applies; 1: the gateway refused; 2: wrong usage.`,
  overrides: `
Examples:
  sallyport quota overrides
  sallyport quota overrides --end 0b51c2 --json

Exit code 0: done; 1: there is no such override, or the gateway refused; 2: wrong usage.`,
}
