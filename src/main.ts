#!/usr/bin/env node
import { buildProgram } from './commands/program.ts'

/** The process entry: the only reader of `process.env` and `process.argv`. */
const program = buildProgram({
  upstream: process.env.SALLYPORT_UPSTREAM,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  exit: (code) => {
    process.exitCode = code
  },
})
await program.parseAsync(process.argv)
