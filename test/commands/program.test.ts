import t from 'tap'
import { version } from '../../src/commands/version.ts'
import { leaves, pathOf, unknownWords } from './command-tree.ts'
import { runProgram } from './run-program.ts'

t.test('help is printed to stdout with 0, and every command teaches by example', async (t) => {
  const { code, out, err } = await runProgram(['--help'])
  t.same({ code, err }, { code: 0, err: '' })
  t.match(out, /Exit codes: 0 /)
  for (const command of leaves()) {
    const path = pathOf(command)
    const help = await runProgram([...path, '--help'])
    t.equal(help.code, 0, path.join(' '))
    t.match(help.out, new RegExp(`Examples:\n(  .+\n)*  (sallyport|npm).+${path.at(-1)}`))
  }
})

t.test('the examples of the help are command lines that the program takes', async (t) => {
  for (const command of leaves()) {
    const { out } = await runProgram([...pathOf(command), '--help'])
    const examples = [...out.matchAll(/^ {2}sallyport (.+?)(?: {2,}.*| >.*)?$/gm)].map(
      ([, line]) => line as string,
    )
    t.ok(examples.length > 0 || command.name() === 'dev')
    for (const example of examples) t.same(unknownWords(example), [], example)
  }
})

t.test('--version', async (t) => {
  t.same(await runProgram(['--version']), { code: 0, out: `${version}\n`, err: '' })
  t.end()
})

t.test('wrong usage: a line that names what is wrong, where help is, and 2', async (t) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['bogus'], /unknown command 'bogus'/],
    [['serve', '--bogus'], /unknown option '--bogus'/],
    [['serve', 'folder'], /too many arguments/],
    [['dev', '--port', '0'], /A port is a number from 1 to 65535/],
    [['dev', '--port', '65536'], /A port is/],
    [['dev', '--port', '0x50'], /A port is/],
    [['dev', '--port', ''], /A port is/],
    [['dev', '--log-format', 'xml'], /Allowed choices are auto, json, pretty/],
    [['token', '--lifetime', '1.5'], /Seconds are a whole number/],
    [['token', '--lifetime', '99999999'], /Seconds are a whole number/],
    [['audit', 'verify'], /missing required argument 'folder'/],
    [['audit', 'verify', '/tmp', '--head', '12'], /--head is <seq>:<hash>/],
  ]
  for (const [args, line] of wrong) {
    const { code, out, err } = await runProgram(args)
    t.same({ code, out }, { code: 2, out: '' }, args.join(' '))
    t.match(err, line)
    t.match(err, /--head is|\(add --help for what there is\)/)
  }
})

t.test('a group without a command prints its help with 2', async (t) => {
  for (const args of [[], ['config'], ['audit']]) {
    const { code, err } = await runProgram(args)
    t.equal(code, 2)
    t.match(err, /^Usage: sallyport/)
  }
})
