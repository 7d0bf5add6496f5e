#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Types are stripped and modules compiled once, not at every start. In the package's own folder: who may write there may
// change the program as well. Where it is not there or cannot be written, everything is compiled as ever.
const modules = join(import.meta.dirname, '../node_modules')
if (existsSync(modules)) enableCompileCache(join(modules, '.cache/compiled'))

const { CommanderError } = await import('commander')
const { buildProgram } = await import('./commands/program.ts')
const { processTerminal } = await import('./commands/terminal.ts')

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
