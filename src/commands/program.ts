import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander'
import { addPools, addQuota, addWhy } from './quota-program.ts'
import { addRedact } from './redact-program.ts'
import type { Run } from './run.ts'
import { CommandFailed, exitCodes, type Surroundings } from './surroundings.ts'
import { version } from './version.ts'

/** Each command's module is loaded when it runs: `sallyport --help` answers at once. */
export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('sallyport')
    .description(
      'A secure gateway in front of LLM model servers: mutual TLS, JWT roles, limits, redaction, audit.',
    )
    .version(version)
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .exitOverride((error) => leave(error, surroundings))
    .addHelpText('after', help.program)
  const run = guarded(surroundings)
  addDev(program, run, surroundings)
  addServe(program, run, surroundings)
  addDoctor(program, run, surroundings)
  addConfig(program, run, surroundings)
  addToken(program, run, surroundings)
  addAudit(program, run, surroundings)
  addRedact(program, run, surroundings)
  addQuota(program, run, surroundings)
  addWhy(program, run, surroundings)
  addPools(program, run, surroundings)
  return program
}

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

function addDev(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('dev')
    .summary('run everything on this machine, with throw-away certificates (npm start)')
    .description(
      'Run the gateway on this machine with everything on: makes throw-away certificates, keys, a token and a ' +
        'configuration in a folder, starts a simulated model server, and prints a line that calls it.',
    )
    .option('-d, --directory <folder>', 'where all of that is made', '.sallyport')
    .option('-p, --port <port>', 'port of the traffic listener', port, 8443)
    .option('--probes-port <port>', 'port of probes and metrics', port, 9464)
    .option('--ops-port <port>', "port of the operators' listener", port, 9443)
    .addOption(logFormat())
    .option('--json', 'print what there is as one line of JSON')
    .addHelpText('after', help.dev)
    .action(run(async (options) => (await import('./dev.ts')).dev(options, surroundings)))
}

function addServe(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('serve')
    .summary('run the gateway with a configuration of your own')
    .description(
      'Run the gateway with a configuration folder (gateway, models, policies and redaction .yaml). A change of any ' +
        'file takes effect at once; a wrong one leaves the old configuration serving.',
    )
    .addOption(configFolder())
    .addOption(logFormat())
    .addHelpText('after', help.serve)
    .action(run(async (options) => (await import('./serve.ts')).serve(options, surroundings)))
}

function addDoctor(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('doctor')
    .summary('say what would keep the gateway from serving, and what to do about it')
    .description(
      'Look at everything that a start and the first call need: this Node.js, the configuration, certificates and ' +
        'their dates, the audit log, keys of issuers, model servers over their own TLS, and ports. Changes nothing.',
    )
    .addOption(configFolder())
    .option('--json', 'print the checks as JSON')
    .addHelpText('after', help.doctor)
    .action(run(async (options) => (await import('./doctor.ts')).doctor(options, surroundings)))
}

function addConfig(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('config')
    .description('Work with a configuration.')
    .command('check')
    .description('Report everything that is wrong with a configuration at once, with file, line and path.')
    .addOption(configFolder())
    .option('--skip-files', 'do not read certificates and other files that it names (for a build machine)')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help.configCheck)
    .action(run(async (options) => (await import('./config-check.ts')).configCheck(options, surroundings)))
}

function addToken(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('token')
    .summary('sign a token for a gateway that `dev` runs')
    .description('Sign a bearer token with the throw-away key that `sallyport dev` made.')
    .option('-d, --directory <folder>', 'folder of `sallyport dev`', '.sallyport')
    .option('-s, --subject <name>', 'sub claim: who calls', 'developer')
    .option('-t, --tenant <name>', 'tenant claim: whose limits and records', 'demo')
    .option('-r, --role <name...>', 'roles claim: roles of policies.yaml', ['app'])
    .option('--lifetime <seconds>', 'seconds until it expires; negative: it has expired', seconds, 3600)
    .option('--bind <certificate>', 'file of the one client certificate that may use it (RFC 8705)')
    .option('--json', 'print the token with its claims as JSON')
    .addHelpText('after', help.token)
    .action(run(async (options) => (await import('./token.ts')).token(options, surroundings)))
}

function addAudit(program: Command, run: Run, surroundings: Surroundings): void {
  program
    .command('audit')
    .description('Work with the audit log.')
    .command('verify')
    .description(
      'Follow the hash chain of an audit log from its first record, and name the first that is wrong.',
    )
    .argument('<folder>', 'folder of the log')
    .option('--head <seq:hash>', 'a head that was noted elsewhere: also finds a log that was cut short')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help.auditVerify)
    .action(
      run(async (folder, options) =>
        (await import('./audit-verify.ts')).auditVerify(folder, options, surroundings),
      ),
    )
}

const configFolder = (): Option =>
  new Option('-c, --config <folder>', 'configuration folder').default('config')

const logFormat = (): Option =>
  new Option('--log-format <format>', 'how log lines look; auto: pretty on a terminal, JSON elsewhere')
    .choices(['auto', 'json', 'pretty'])
    .default('auto')

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= 65_535) return value
  throw new InvalidArgumentError('A port is a number from 1 to 65535.')
}

function seconds(text: string): number {
  const value = /^-?\d{1,8}$/.test(text) ? Number(text) : Number.NaN
  if (Math.abs(value) <= 31_536_000) return value
  throw new InvalidArgumentError('Seconds are a whole number of at most a year.')
}

const help = {
  program: `
Begin with:
  npm start                          in a clone: everything on this machine, nothing to set up
  sallyport doctor -c /etc/sallyport what is missing before it can serve there
  sallyport serve -c /etc/sallyport  serve

In a clone, "sallyport" is: npm run -s sallyport --
Exit codes: 0 well, 1 failed, 2 wrong usage, 3 configuration or Node.js refused, 4 audit log not intact`,
  dev: `
Examples:
  npm start                                            the same as: sallyport dev
  npm start -- --port 8543 --probes-port 9564          on other ports
  SALLYPORT_UPSTREAM=http://localhost:8000 npm start   in front of a model server of your own

It listens on 127.0.0.1 alone. Everything in the folder but audit/ is made anew at each start.`,
  serve: `
Examples:
  sallyport serve                                      the configuration in ./config
  sallyport serve -c /etc/sallyport --log-format json

SIGTERM or Ctrl-C drains: no new calls, streams run to their end or the deadline (drain in gateway.yaml), exit code 0.
A second signal ends it at once with 1. Exit code 3: the configuration or this Node.js is refused.`,
  doctor: `
Examples:
  sallyport doctor -c .sallyport/config                the configuration that npm start made
  sallyport doctor -c /etc/sallyport --json

Exit code 0: nothing failed (there may be warnings), 1: something did.`,
  configCheck: `
Examples:
  sallyport config check -c /etc/sallyport
  sallyport config check --skip-files --json           where its certificates are not at hand

Exit code 0: it would serve, 3: it is refused.`,
  token: `
Examples:
  sallyport token > .sallyport/token                   a fresh one for the curl lines of npm start
  sallyport token --lifetime -10                       one that has expired: 401
  sallyport token --bind .sallyport/client.crt         one that works on that certificate's connections alone
  sallyport token --role app research --tenant acme --json`,
  auditVerify: `
Examples:
  sallyport audit verify .sallyport/audit
  sallyport audit verify /var/lib/sallyport --head 1042:3f6c0d... --json

Exit code 0: intact, 4: not intact, 1: it cannot be read.`,
}
