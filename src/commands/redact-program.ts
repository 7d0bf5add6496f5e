import { type Command, InvalidArgumentError, Option } from 'commander'
import { presets } from '../policy/preset.ts'
import type { Run } from './run.ts'
import type { Surroundings } from './surroundings.ts'

/** The commands of `sallyport redact`. */
export function addRedact(program: Command, run: Run, surroundings: Surroundings): void {
  const redact = program.command('redact').description('Try redaction out, and measure it.')
  addTest(redact, run, surroundings)
  addScore(redact, run, surroundings)
  addStats(redact, run, surroundings)
}

function addTest(redact: Command, run: Run, surroundings: Surroundings): void {
  withRules(redact.command('test'))
    .description('Show what the gateway would make of a text: what is found, and what would go on.')
    .argument('<file>', 'file with the text; - reads standard input')
    .option('--stream', 'let the text come in events: what leaves when, and what is held back')
    .option('--event-size <units>', 'code units of a streamed event', count, 4)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help.test)
    .action(
      run(async (file, options) =>
        (await import('./redact-test.ts')).redactTest(file, options, surroundings),
      ),
    )
}

function addScore(redact: Command, run: Run, surroundings: Surroundings): void {
  withRules(redact.command('score'))
    .description('Measure precision, recall and F1 per label over labeled texts.')
    .argument('<corpus...>', 'files of labeled texts (JSON Lines, also with gzip; test/corpora/README.md)')
    .option('-l, --label <label...>', 'count these labels alone; SECRET is every secret')
    .option('--findings <file>', 'score what another tool made of the texts, instead of Sallyport')
    .option('--mistakes <count>', 'list that many values that were missed, or found where none is', count, 0)
    .option('--json', 'print the scores as JSON')
    .addHelpText('after', help.score)
    .action(
      run(async (files, options) =>
        (await import('./redact-score.ts')).redactScore(files, options, surroundings),
      ),
    )
}

function addStats(redact: Command, run: Run, surroundings: Surroundings): void {
  redact
    .command('stats')
    .description('Print what the recognizers are compiled into: states, bytes and the time that it took.')
    .option('--json', 'print the figures as JSON')
    .addHelpText('after', help.stats)
    .action(run(async (options) => (await import('./redact-stats.ts')).redactStats(options, surroundings)))
}

const withRules = (command: Command): Command =>
  command
    .addOption(
      new Option('--preset <name>', 'rules to test with').choices(Object.keys(presets)).default('standard'),
    )
    .option('-p, --profile <name>', 'a profile of redaction.yaml, instead of a preset')
    .addOption(new Option('-c, --config <folder>', 'configuration folder of the profile').default('config'))
    .addOption(
      new Option('--direction <direction>', 'prompt: what callers send, reply: what models answer')
        .choices(['prompt', 'reply'])
        .default('prompt'),
    )

function count(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (value >= 1) return value
  throw new InvalidArgumentError('A count is a whole number from 1 to 999999.')
}

const help = {
  test: `
Examples:
  echo "my card is 4111 1111 1111 1111" | sallyport redact test -
  sallyport redact test prompt.txt --profile strict --direction reply --json
  sallyport redact test reply.txt --stream --event-size 4

On a terminal the values are shown, crossed out; elsewhere the text is printed as it would go on.
Exit code 0: it was tested, whatever was found; 1: the file cannot be read; 3: the configuration is refused.`,
  score: `
Examples:
  sallyport redact score test/corpora/dev/synthetic-fresh.jsonl.gz
  sallyport redact score test/corpora/held-out/*.gz --label CREDIT_CARD SECRET --json
  sallyport redact score corpus.jsonl --mistakes 20
  sallyport redact score corpus.jsonl --findings other-tool.jsonl

A value is found when findings of its label cover half of it, and masked when no 60 % of it in one piece is left.
Exit code 0: it was measured, whatever the figures; 1: a file cannot be read or is no corpus.`,
  stats: `
Examples:
  sallyport redact stats --json`,
}
