import t from 'tap'
import { list, printPath, quote } from '../../src/config/problem.ts'

t.test('paths as a person writes them', async (t) => {
  t.equal(printPath([]), '')
  t.equal(printPath(['roles', 'app', 'scopes', 0]), 'roles.app.scopes[0]')
  t.equal(printPath(['models', 'org/name', 'pool']), 'models["org/name"].pool')
})

t.test('what is quoted stays on one line and short', async (t) => {
  t.equal(quote('a\nb\u001b[31m'), '"a\\nb\\u001b[31m"')
  t.equal(quote('x'.repeat(1000)).length, 83)
  t.equal(list(['b', 'a']), 'a, b')
  t.equal(list([]), '(none)')
  t.match(list(Array.from({ length: 25 }, (_, i) => `n${i}`)), /, n\d+ and 5 more$/)
})
