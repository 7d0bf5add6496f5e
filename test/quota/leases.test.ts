import fc from 'fast-check'
import t from 'tap'
import { Leases } from '../../src/quota/leases.ts'

type Held = Set<string>

function tell(held: Held, act: 'enter' | 'leave' | 'clear', key: string, holder: string): void {
  if (act === 'enter') held.add(`${key} ${holder}`)
  else if (act === 'leave') held.delete(`${key} ${holder}`)
  else for (const each of held) if (each.startsWith(key)) held.delete(each)
}

const countOf = (held: Held, key: string): number => [...held].filter((each) => each.startsWith(key)).length

t.test('the count is the number of holders, whatever comes again or late', async (t) => {
  const key = fc.constantFrom('a', 'b')
  const holder = fc.constantFrom('x', 'y', 'z')
  const act = fc.constantFrom('enter' as const, 'leave' as const, 'clear' as const)
  fc.assert(
    fc.property(fc.array(fc.tuple(act, key, holder), { maxLength: 40 }), (acts) => {
      const leases = new Leases()
      const held: Held = new Set()
      for (const [act, key, holder] of acts) {
        tell(held, act, key, holder)
        leases[act](key, holder)
      }
      const keys = ['a', 'b'].filter((key) => countOf(held, key) > 0)
      return leases.size === keys.length && keys.every((key) => leases.count(key) === countOf(held, key))
    }),
  )
  t.pass()
})
