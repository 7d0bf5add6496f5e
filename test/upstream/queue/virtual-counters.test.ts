import { array, assert, constantFrom, integer, property, record } from 'fast-check'
import t from 'tap'
import { type Account, VirtualCounters } from '../../../src/upstream/queue/virtual-counters.ts'
import type { Place } from '../../../src/upstream/queue/waiting-line.ts'

interface SlowAccount {
  readonly tenant: string
  readonly line: number[]
  counter: number
  order: number
  weight: number
}

/** The paper's algorithm, word for word: it looks at every tenant each time and forgets none. */
class SlowCounters {
  readonly accounts = new Map<string, SlowAccount>()
  #last: SlowAccount | undefined
  #order = 0
  #floor = 0

  get waiting(): SlowAccount[] {
    return [...this.accounts.values()].filter(({ line }) => line.length > 0)
  }
  /** At its highest so far: looked at after every step. */
  get floor(): number {
    const { waiting } = this
    const now =
      waiting.length > 0 ? Math.min(...waiting.map(({ counter }) => counter)) : (this.#last?.counter ?? 0)
    this.#floor = Math.max(this.#floor, now)
    return this.#floor
  }
  #lifted(tenant: string, weight: number): SlowAccount {
    const account = this.accounts.get(tenant) ?? {
      ...{ tenant, line: [], counter: 0, order: 0, weight },
    }
    this.accounts.set(tenant, account)
    if (account.line.length > 0) return account
    account.weight = weight
    account.counter = Math.max(account.counter, this.floor)
    return account
  }
  pass(tenant: string, weight: number): void {
    this.#last = this.#lifted(tenant, weight)
  }
  enter(tenant: string, weight: number, value: number): void {
    const account = this.#lifted(tenant, weight)
    if (account.line.length === 0) {
      this.#order += 1
      account.order = this.#order
    }
    account.line.push(value)
  }
  leave(tenant: string, value: number): boolean {
    const account = this.accounts.get(tenant)
    const index = account?.line.indexOf(value) ?? -1
    if (account === undefined || index < 0) return false
    account.line.splice(index, 1)
    this.#last = account
    return true
  }
  next(): number | undefined {
    const [account] = this.waiting.sort((a, b) => a.counter - b.counter || a.order - b.order)
    if (account !== undefined) this.#last = account
    return account?.line.shift()
  }
  charge(tenant: string, service: number): void {
    const account = this.accounts.get(tenant) as SlowAccount
    account.counter += service / account.weight
  }
}

const step = record({
  what: constantFrom('pass', 'enter', 'enter', 'enter', 'leave', 'next', 'next', 'charge', 'charge', 'end'),
  tenant: constantFrom('a', 'b', 'c', 'd'),
  weight: constantFrom(1, 2, 4),
  service: integer({ min: -32, max: 64 }),
  which: integer({ min: 0, max: 5 }),
})
interface Step {
  readonly what: string
  readonly tenant: string
  readonly weight: number
  readonly service: number
  readonly which: number
}

class Pair {
  readonly fast = new VirtualCounters<number>()
  readonly slow = new SlowCounters()
  readonly places: { tenant: string; value: number; place: Place<number> }[] = []
  readonly running: Account<number>[] = []
  floor = 0

  play({ what, tenant, weight, service, which }: Step, value: number): boolean {
    if (what === 'pass') this.#pass(tenant, weight)
    if (what === 'enter') this.#enter(tenant, weight, value)
    if (what === 'leave' && !this.#leave(which)) return false
    if (what === 'next' && !this.#next()) return false
    if (what === 'charge') this.#charge(which, service)
    if (what === 'end') this.#end(which)
    const rose = this.fast.floor >= this.floor
    this.floor = this.fast.floor
    const waiting = this.slow.waiting.reduce((sum, { line }) => sum + line.length, 0)
    const weights = this.slow.waiting.reduce((sum, account) => sum + account.weight, 0)
    return (
      rose && this.floor === this.slow.floor && this.fast.length === waiting && this.fast.weights === weights
    )
  }
  #pass(tenant: string, weight: number): void {
    if (this.fast.length > 0) return
    this.running.push(this.fast.pass(tenant, weight))
    this.slow.pass(tenant, weight)
  }
  #enter(tenant: string, weight: number, value: number): void {
    this.places.push({ tenant, value, place: this.fast.enter(tenant, weight, value) })
    this.slow.enter(tenant, weight, value)
  }
  #leave(which: number): boolean {
    const found = this.places[which]
    if (found === undefined) return true
    return this.fast.leave(found.tenant, found.place) === this.slow.leave(found.tenant, found.value)
  }
  #next(): boolean {
    const next = this.fast.next()
    if (next !== undefined) this.running.push(next.account)
    return next?.value === this.slow.next()
  }
  #charge(which: number, service: number): void {
    const account = this.running[which]
    if (account === undefined) return
    if (service < 0) this.fast.giveBack(account, -service)
    else this.fast.charge(account, service)
    this.slow.charge(account.tenant, service)
  }
  #end(which: number): void {
    const [account] = this.running.splice(which, 1)
    if (account !== undefined) this.fast.ended(account)
  }
}

t.test('decides as the paper says, although it remembers only whom it must; the floor never falls', (t) => {
  assert(
    property(array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const pair = new Pair()
      return steps.every((each, index) => pair.play(each, index))
    }),
    { numRuns: 500 },
  )
  t.pass('every decision is the same')
  t.end()
})

t.test('a tenant whose turns are over is forgotten as soon as the floor has passed it', (t) => {
  assert(
    property(
      array(integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 30, size: 'max' }),
      (services) => {
        const counters = new VirtualCounters<number>()
        const accounts = services.map((service, index) => {
          const account = counters.pass(`t${index}`, 1)
          counters.charge(account, service)
          return account
        })
        for (const account of accounts.sort((a, b) => a.counter - b.counter)) counters.ended(account)
        const above = accounts.filter(({ counter }) => counter > counters.floor).length
        return counters.accounts === above
      },
    ),
  )
  t.pass('only debtors are left')
  t.end()
})

t.test('whoever has nothing here is forgotten once it owes nothing', (t) => {
  const counters = new VirtualCounters<string>()
  const heavy = counters.pass('heavy', 1)
  counters.charge(heavy, 1000)
  counters.ended(heavy)
  t.equal(counters.accounts, 0, 'the floor went up with it')
  const other = counters.pass('other', 1)
  t.equal(other.counter, 1000, 'nobody is ahead for having come later')
  t.end()
})

t.test('accounts are bounded, whatever they owe', (t) => {
  assert(
    property(
      integer({ min: 4, max: 20 }),
      array(integer({ min: 0, max: 60 }), { maxLength: 100, size: 'max' }),
      (accountsMax, services) => {
        const counters = new VirtualCounters<number>({ accountsMax })
        counters.enter('waits', 1, 0)
        for (const [index, service] of services.entries()) {
          const tenant = `t${index}`
          const place = counters.enter(tenant, 1, index)
          const { account } = counters.next() as { account: Account<number> }
          counters.charge(account, service)
          counters.leave(tenant, place)
          counters.ended(account)
          if (counters.accounts > accountsMax + 1) return false
        }
        return true
      },
    ),
  )
  t.pass('bounded')
  t.end()
})

t.test('what was charged too much is taken back; whoever comes later begins where the floor was', (t) => {
  const counters = new VirtualCounters<string>()
  const account = counters.pass('a', 2)
  counters.charge(account, 100)
  t.equal(account.counter, 50)
  counters.enter('a', 2, 'next')
  counters.giveBack(account, 40)
  t.equal(account.counter, 30)
  t.equal(counters.pass('b', 1).counter, 50, 'the floor did not fall')
  counters.enter('b', 1, 'b')
  t.equal(counters.next()?.value, 'next')
  t.end()
})
