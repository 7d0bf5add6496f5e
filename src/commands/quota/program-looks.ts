import { type Command, InvalidArgumentError, Option } from 'commander'
import { endpointNames } from '../../config/schema/policies.ts'
import type { Run } from '../run.ts'
import type { Surroundings } from '../surroundings.ts'
import { sortings } from './top-screen.ts'

/** What limits there are. */
export function addLimits(quota: Command, run: Run, surroundings: Surroundings): void {
  addList(quota, run, surroundings)
  addGet(quota, run, surroundings)
}

/** What becomes of them. */
export function addLooks(quota: Command, run: Run, surroundings: Surroundings): void {
  addUsage(quota, run, surroundings)
  addTop(quota, run, surroundings)
  addExplain(quota, run, surroundings)
}

function addList(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('list')
    .description('List every limit: of the configuration, of roles, and those that operators have set.')
    .option('--json', 'print the limits as JSON')
    .addHelpText('after', help.list)
    .action(
      run(async (_options, command: Command) =>
        (await import('./list.ts')).quotaList(command.optsWithGlobals(), surroundings),
      ),
    )
}

function addGet(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('get')
    .description('Show one limit in full: who set it, its version, and what the configuration says instead.')
    .argument('<name>', 'name of the limit')
    .option('--json', 'print the limit as JSON')
    .addHelpText('after', help.get)
    .action(
      run(async (name, _options, command: Command) =>
        (await import('./get.ts')).quotaGet(name, command.optsWithGlobals(), surroundings),
      ),
    )
}

function addUsage(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('usage')
    .description('Show buckets with what is used of them, exactly; who is throttled; and how the store is.')
    .option('--limit <name>', 'buckets of this limit alone')
    .option('--tenant <name>', 'buckets of this tenant alone')
    .option('--prefix <text>', 'buckets whose key begins with it')
    .option('--count <number>', 'most buckets that are shown', count, 100)
    .option('--json', 'print the buckets as JSON')
    .addHelpText('after', help.usage)
    .action(
      run(async (_options, command: Command) =>
        (await import('./usage.ts')).quotaUsage(command.optsWithGlobals(), surroundings),
      ),
    )
}

function addTop(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('top')
    .description(
      'Watch limits live: the fullest buckets, who is throttled and by which limit, and the store.',
    )
    .option('--interval <seconds>', 'seconds between two looks', interval, 2)
    .option('--once', 'print one look and end')
    .addOption(
      new Option('--sort <by>', 'what comes first: the fullest, the most used, the most refused')
        .choices(sortings)
        .default('share'),
    )
    .option('--tenant <name>', 'buckets of this tenant alone')
    .option('--json', 'print each look as one line of JSON; with --once, indented')
    .addHelpText('after', help.top)
    .action(
      run(async (_options, command: Command) =>
        (await import('./top.ts')).quotaTop(command.optsWithGlobals(), surroundings),
      ),
    )
}

function addExplain(quota: Command, run: Run, surroundings: Surroundings): void {
  quota
    .command('explain')
    .summary('say what would become of a call, step by step')
    .description(
      'Say what would become of a call, step by step: roles, parameters, every limit with who set it, redaction of a ' +
        'sample. Nothing is charged and no model is asked.',
    )
    .option('--for-token <file>', "the caller's token (not yours, which is --token-file)")
    .option('--tenant <name>', 'tenant of the caller, when there is no token')
    .option('--role <name...>', 'roles of the caller')
    .option('--principal <id>', 'who the caller is: <issuer>/<subject>')
    .option('--scope <name...>', 'scopes that the token is narrowed to')
    .addOption(
      new Option('--endpoint <name>', 'what is called').choices(endpointNames).default('chat.completions'),
    )
    .option('--model <name>', 'model that is asked for')
    .option('--input-tokens <number>', 'length of the prompt', count)
    .option('--max-tokens <number>', 'output tokens that are asked for', count)
    .option('--n <number>', 'choices that are asked for', count)
    .option('--sample <text>', 'a prompt to estimate and to redact; - reads standard input')
    .option('--json', 'print the trace as JSON')
    .addHelpText('after', help.explain)
    .action(
      run(async (_options, command: Command) =>
        (await import('./explain.ts')).quotaExplain(command.optsWithGlobals(), surroundings),
      ),
    )
}

function count(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (value >= 1) return value
  throw new InvalidArgumentError('It is a whole number from 1.')
}

const INTERVAL_SECONDS_MAX = 3_600

function interval(text: string): number {
  const value = /^\d{1,4}(?:\.\d)?$/.test(text) ? Number(text) : 0
  if (value >= 0.5 && value <= INTERVAL_SECONDS_MAX) return value
  throw new InvalidArgumentError(`An interval is seconds, from 0.5 to ${INTERVAL_SECONDS_MAX}.`)
}

const help = {
  list: `
Examples:
  sallyport quota list                                 beside npm start, in the same folder
  sallyport quota list --json

SET BY: config and role are policies.yaml, operator is what somebody set here and wins over both.
Exit code 0: it was listed; 1: the gateway did not answer, or refused; 2: wrong usage.`,
  get: `
Examples:
  sallyport quota get tenant-tokens
  sallyport quota get role.app.requests --json

Exit code 0: it was shown; 1: there is no such limit, or the gateway did not answer; 2: wrong usage.`,
  usage: `
Examples:
  sallyport quota usage --tenant acme
  sallyport quota usage --limit tenant-tokens --count 500 --json

USED may be above AT MOST: what a call used beyond its reservation is charged too. EMPTY IN is when nothing is used any
more, if nothing more comes. THROTTLED is of the replica that answers, in the last five minutes.
Exit code 0: it was shown; 1: the gateway did not answer, or refused; 2: wrong usage.`,
  top: `
Examples:
  sallyport quota top
  sallyport quota top --interval 5 --sort refused --tenant acme
  sallyport quota top --once --json

Keys: q or Ctrl-C ends it, s sorts by another column. Where output is no terminal, one look follows the other.
Figures are rounded downwards to two digits: usage shows them exactly. NO_COLOR turns colors off.
Exit code 0: it was ended; 1: the gateway did not answer the first time, or refused; 2: wrong usage.`,
  explain: `
Examples:
  sallyport quota explain --tenant acme --role app --model demo --input-tokens 1200 --max-tokens 500
  sallyport quota explain --for-token .sallyport/token --model demo --sample "write to jane@example.com"
  sallyport quota explain --tenant acme --role app --model demo --sample - --json

Exit code 0: it was explained, whether the call would pass or not; 1: the gateway did not answer, or refused; 2: wrong usage.`,
}
