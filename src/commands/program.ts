import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'
import { version } from './version.ts'

/** Each command's module is loaded when it runs: `sallyport --help` answers at once. */
export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('sallyport')
    .description('A secure gateway in front of LLM model servers.')
    .version(version)
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .exitOverride((error) => leave(error, surroundings))
  const run = guarded(surroundings)
  addServe(program, run, surroundings)
  addDev(program, run, surroundings)
  addToken(program, run, surroundings)
  addConfig(program, run, surroundings)
  addAudit(program, run, surroundings)
  return program
}

type Run = <Args extends unknown[]>(
  command: (...args: Args) => Promise<ExitCode>,
) => (...args: Args) => Promise<void>

/** A command's exit code, or what it threw as one line: never a stack for something that the user can mend. */
const guarded =
  ({ err, exit }: Surroundings): Run =>
  (command) =>
  async (...args) => {
    try {
      exit(await command(...args))
    } catch (error) {
      const failure = error as Error
      err(failure instanceof CommandFailed ? `${failure.message}\n` : `${failure.stack ?? failure.message}\n`)
      exit(failure instanceof CommandFailed ? failure.code : exitCodes.failed)
    }
  }

function leave(error: CommanderError, { exit }: Surroundings): never {
  exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage)
  throw error
}

function addServe(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('serve')
    .description('Run the gateway with a configuration folder (gateway, models, policies, redaction .yaml).')
    .option('-c, --config <folder>', 'configuration folder', 'config')
    .addOption(logFormat())
    .action(run(async (options) => (await import('./serve.ts')).serve(options, surroundings)))
}

function addDev(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('dev')
    .description('Run the gateway on this machine with throw-away certificates and a simulated model server.')
    .option(
      '-d, --directory <folder>',
      'where certificates, keys, token and configuration are made',
      '.sallyport',
    )
    .option('-p, --port <port>', 'port of the traffic listener', port, 8443)
    .option('--probes-port <port>', 'port of probes and metrics', port, 9464)
    .addOption(logFormat())
    .addHelpText(
      'after',
      '\nSALLYPORT_UPSTREAM=http://host:8000 puts it in front of a real model server instead.',
    )
    .action(run(async (options) => (await import('./dev.ts')).dev(options, surroundings)))
}

function addToken(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('token')
    .description('Sign a bearer token with the throw-away key of `sallyport dev`.')
    .option('-d, --directory <folder>', 'folder of `sallyport dev`', '.sallyport')
    .option('-s, --subject <name>', 'sub claim', 'developer')
    .option('-t, --tenant <name>', 'tenant claim', 'demo')
    .option('-r, --role <name...>', 'roles claim', ['app'])
    .option(
      '--lifetime <seconds>',
      'seconds until it expires; negative for one that has expired',
      seconds,
      3600,
    )
    .option('--bind <certificate>', 'bind it to a client certificate (RFC 8705)')
    .option('--json', 'print the token with its claims as JSON')
    .action(run(async (options) => (await import('./token.ts')).token(options, surroundings)))
}

function addConfig(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('config')
    .description('Work with a configuration.')
    .command('check')
    .description('Report everything that is wrong with a configuration, with file, line and path.')
    .argument('[folder]', 'configuration folder', 'config')
    .option('--json', 'print the report as JSON')
    .option('--skip-files', 'do not read certificates and other files that it names')
    .action(
      run(async (folder, options) =>
        (await import('./config-check.ts')).configCheck(folder, options, surroundings),
      ),
    )
}

function addAudit(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('audit')
    .description('Work with the audit log.')
    .command('verify')
    .description('Check the hash chain of an audit log and name the first record that is wrong.')
    .argument('<folder>', 'folder of the log')
    .option('--head <seq:hash>', 'a head that was noted elsewhere: also finds a log that was cut short')
    .option('--json', 'print the report as JSON')
    .action(
      run(async (folder, options) =>
        (await import('./audit-verify.ts')).auditVerify(folder, options, surroundings),
      ),
    )
}

const logFormat = (): Option =>
  new Option('--log-format <format>', 'how log lines look')
    .choices(['auto', 'json', 'pretty'])
    .default('auto')

function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return value
  throw new InvalidArgumentError('A port is a number from 1 to 65535.')
}

function seconds(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && Math.abs(value) <= 31_536_000) return value
  throw new InvalidArgumentError('Seconds are a whole number of at most a year.')
}
