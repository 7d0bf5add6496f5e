import { globSync } from 'node:fs'
import type { Command } from 'commander'
import t from 'tap'
import { buildProgram } from '../../src/commands/program.ts'
import { exitCodes } from '../../src/commands/surroundings.ts'
import { documents, readDocument, root } from '../support/markdown.ts'

const page = readDocument('docs/reference/command-line.md')
const program = buildProgram({ upstream: undefined, out: () => {}, err: () => {}, exit: () => {} })

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`

const shown = (value: unknown): string => (value === undefined ? '-' : `\`${[value].flat().join(' ')}\``)
const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The rows that the page must have for a command, and no others. */
const rowsOf = (command: Command): string[] => [
  ...command.registeredArguments.map(
    (argument) =>
      `| \`<${argument.name()}>\` | ${shown(argument.defaultValue)} | ${cell(argument.description)} |`,
  ),
  ...command.options.map(
    ({ flags, defaultValue, description }) =>
      `| \`${flags}\` | ${shown(defaultValue)} | ${cell(description)} |`,
  ),
]

function sectionOf(command: Command): string {
  const [, ...sections] = page.split(/^## /m)
  return sections.find((section) => section.startsWith(`${pathOf(command)}\n`)) ?? ''
}

t.test('the page has a section for each command, in the order of --help', (t) => {
  const headings = [...page.matchAll(/^## (sallyport .+)$/gm)].map(([, heading]) => heading)
  t.same(headings, leaves(program).map(pathOf))
  t.end()
})

t.test('each section lists the arguments and options of its command, as --help does', (t) => {
  for (const command of leaves(program)) {
    const rows = sectionOf(command)
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    t.same(rows, rowsOf(command), pathOf(command))
  }
  t.end()
})

t.test('every exit code is explained', (t) => {
  const rows = [...page.matchAll(/^\| (\d) \| \S.+ \|$/gm)].map(([, code]) => Number(code))
  t.same(rows, Object.values(exitCodes))
  t.end()
})

/** The command lines that documents and comments show: `sallyport serve -c DIR`. */
const shownLines = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:(?:^|[\s`"'(])sallyport|npm run -s sallyport --) ((?:[a-z]+ )?[a-z]+(?: [^\s`"'(),;#|>]+)*)/gm,
    ),
  ]
    .map(([, line]) => line as string)
    .filter((line) => program.commands.some((command) => command.name() === line.split(' ')[0]))

/** What of a command line names no command or option of the program. */
function unknownWords(line: string): string[] {
  const words = line.split(' ')
  let command: Command | undefined = program
  while (command !== undefined && command.commands.length > 0) {
    command = command.commands.find(({ name }) => name.call(command) === words[0])
    if (command === undefined) return words
    words.shift()
  }
  const known = command?.options.flatMap(({ short, long }) => [short, long]) ?? []
  return words.filter((word) => /^--?[a-z]/.test(word) && word !== '--help' && !known.includes(word))
}

t.test('every command line that a document or the shipped configuration shows is one', (t) => {
  const files = [...documents(), ...globSync('config/*.yaml', { cwd: root })]
  const lines = files.flatMap((file) => shownLines(readDocument(file)).map((line) => ({ file, line })))
  t.ok(lines.length > 10, `${lines.length} lines`)
  t.same(
    lines.filter(({ line }) => unknownWords(line).length > 0),
    [],
  )
  t.end()
})
