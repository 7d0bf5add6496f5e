import { globSync } from 'node:fs'
import type { Command } from 'commander'
import t from 'tap'
import { exitCodes } from '../../src/commands/surroundings.ts'
import { leaves, pathOf, program, unknownWords } from '../commands/command-tree.ts'
import { documents, readDocument, root } from '../support/markdown.ts'

const page = ['command-line', 'quota-cli'].map((name) => readDocument(`docs/reference/${name}.md`)).join('\n')
const heading = (command: Command): string => ['sallyport', ...pathOf(command)].join(' ')

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
  return sections.find((section) => section.startsWith(`${heading(command)}\n`)) ?? ''
}

t.test('the pages have a section for each command, in the order of --help', (t) => {
  const headings = [...page.matchAll(/^## (sallyport .+)$/gm)].map(([, text]) => text)
  t.same(headings, leaves().map(heading))
  t.end()
})

t.test('each section lists the arguments and options of its command, as --help does', (t) => {
  for (const command of leaves()) {
    const rows = sectionOf(command)
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    t.same(rows, rowsOf(command), heading(command))
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
