import fc from 'fast-check'
import t from 'tap'
import { globMatches } from '../../src/policy/glob.ts'

t.test('only the star is special', async (t) => {
  const cases: readonly [glob: string, name: string, expected: boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a/b:c', true],
    ['llama-*', 'llama-', true],
    ['llama-*', 'llama', false],
    ['*-instruct', 'a-instruct-instruct', true],
    ['*-instruct', 'a-instruct-x', false],
    ['a*b*c', 'aXbXbXc', true],
    ['a*b*c', 'acb', false],
    ['**a**', 'bab', true],
    ['org/*', 'org/x/y', true],
    ['a.c', 'abc', false],
    ['A', 'a', false],
    ['a*', 'ba', false],
    ['[ab]', 'a', false],
    ['a?', 'ab', false],
  ]
  for (const [glob, name, expected] of cases) t.equal(globMatches(glob, name), expected, `${glob} ${name}`)
})

t.test('property: the same answer as a plain definition', async (t) => {
  const plain = (glob: string, name: string): boolean => {
    if (glob === '') return name === ''
    if (glob[0] === '*') return plain(glob.slice(1), name) || (name !== '' && plain(glob, name.slice(1)))
    return glob[0] === name[0] && plain(glob.slice(1), name.slice(1))
  }
  const text = (letters: string[]) =>
    fc.array(fc.constantFrom(...letters), { maxLength: 8 }).map((all) => all.join(''))
  fc.assert(
    fc.property(
      text(['a', 'b', '*']),
      text(['a', 'b', '*']),
      (glob, name) => globMatches(glob, name) === plain(glob, name),
    ),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('many stars against a long name that does not match: steps, not powers', async (t) => {
  t.equal(globMatches(`${'*a'.repeat(128)}b`, 'a'.repeat(20_000)), false)
})
