// Gateways side by side, on the same machine, under the same load, before the same simulated model server: what each
// costs in CPU time, latency and memory. docs/benchmarks/peers.md tells the method.
//   npm run bench:peers -- --help
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { compare } from './peers/comparison.ts'
import { notToBeHad } from './peers/gateways.ts'
import { install, installs } from './peers/install.ts'
import { help, type Options, parseOptions } from './peers/options.ts'
import { plot } from './peers/plot.ts'
import type { Results } from './peers/results.ts'
import { rows } from './peers/rows.ts'
import { placed, tables } from './peers/tables.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(args: readonly string[]): Promise<void> {
  const names = rows.map(({ name }) => name)
  const options = parseOptions(args, names)
  if (options.act === 'help') process.stdout.write(help(names))
  else if (options.act === 'list') await list()
  else if (options.act === 'install') await installMissing()
  else write(options.from === undefined ? await run(options) : read(options.from), options)
}

async function run(options: Options): Promise<Results> {
  const end = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) {
    process.on(signal, () => {
      // The second time at once: what was started is ended all the same.
      if (end.signal.aborted) process.exit(130)
      end.abort(new Error(`ended by ${signal}`))
    })
  }
  const chosen = rows.filter(({ name }) => options.rows?.includes(name) ?? true)
  return await compare(chosen, options, { signal: end.signal, say })
}

const read = (file: string): Results => JSON.parse(readFileSync(file, 'utf8')) as Results

function write(results: Results, { json, markdown, plot: picture }: Options): void {
  if (json !== undefined) put(json, `${JSON.stringify(results, null, 2)}\n`)
  if (picture !== undefined) put(picture, plot(results))
  const page = markdown ?? (json === undefined && picture === undefined ? '-' : undefined)
  if (page === undefined) return
  const before = page !== '-' && existsSync(page) ? readFileSync(page, 'utf8') : ''
  put(page, placed(before, tables(results)))
}

function put(file: string, text: string): void {
  if (file === '-') process.stdout.write(text)
  else writeFileSync(file, text)
}

async function list(): Promise<void> {
  for (const row of rows) {
    const found = await row.find()
    const state = 'version' in found ? found.version : `- ${found.missing}`
    process.stdout.write(`${row.name.padEnd(24)}${state}${row.had === undefined ? '' : ` (${row.had})`}\n`)
  }
  for (const { name, reason } of notToBeHad) process.stdout.write(`${name.padEnd(24)}- ${reason}\n`)
}

async function installMissing(): Promise<void> {
  for (const row of rows) {
    const found = await row.find()
    if ('version' in found) continue
    if (installs[row.name] === undefined) {
      say(`${row.name}: ${found.missing}`)
      continue
    }
    say(`${row.name}: installing`)
    const failure = await install(row.name)
    say(`${row.name}: ${failure ?? 'installed'}`)
  }
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  say(`bench:peers: ${(error as Error).message}\nSee: npm run bench:peers -- --help`)
  process.exitCode = 1
}
