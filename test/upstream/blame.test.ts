import t from 'tap'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { blameOf } from '../../src/upstream/blame.ts'
import { faultThemes } from '../support/fault-matrix.ts'

t.test('each fault of the matrix says of its server what the page says', (t) => {
  for (const rows of Object.values(faultThemes)) {
    for (const [name, { caller, endpoint }] of Object.entries(rows)) {
      const code = caller.split(' ')[1] as RefusalCode | undefined
      // What is not the server's fault adds nothing to the head that it has answered with.
      const blame = code === undefined ? 'answered' : blameOf(new Refusal(code, 'test'))
      t.equal(blame === 'abandoned' ? 'answered' : blame, endpoint, name)
    }
  }
  t.end()
})

t.test('what is not the server’s doing says nothing about it', (t) => {
  for (const code of ['caller_gone', 'draining', 'content_blocked', 'slow_reader', 'token_revoked'] as const)
    t.equal(blameOf(new Refusal(code, 'test')), 'abandoned')
  t.equal(blameOf(new Error('ours')), 'abandoned')
  t.end()
})
