#!/usr/bin/env node
import { CommanderError } from 'commander'
import { buildProgram } from './commands/program.ts'
import { processTerminal } from './commands/terminal.ts'

/** The process entry: the only reader of `process.env` and `process.argv`. */
const program = buildProgram({
  upstream: process.env.SALLYPORT_UPSTREAM,
  ops: { profile: process.env.SALLYPORT_OPS_PROFILE, token: process.env.SALLYPORT_OPS_TOKEN },
  terminal: processTerminal(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  exit: (code) => {
    process.exitCode = code
  },
})
try {
  await program.parseAsync(process.argv)
} catch (error) {
  // Help, version and usage errors have been printed and have set the exit code.
  if (!(error instanceof CommanderError)) throw error
}
