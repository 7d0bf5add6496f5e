import { array, assert, constantFrom, integer, property, record } from 'fast-check'
import t from 'tap'
import { type Place, WaitingLine } from '../../../src/upstream/queue/waiting-line.ts'

const step = record({
  what: constantFrom('push', 'shift', 'pop', 'remove', 'remove again'),
  which: integer({ min: 0, max: 9 }),
})

/** A line, and the list that it ought to be. */
class Pair {
  readonly #line = new WaitingLine<number>()
  readonly #list: Place<number>[] = []
  readonly #gone: Place<number>[] = []

  /** Whether both did the same. */
  play(what: string, which: number, value: number): boolean {
    return this.#same(what, which, value) && this.#line.length === this.#list.length
  }

  #same(what: string, which: number, value: number): boolean {
    if (what === 'push') return this.#list.push(this.#line.push(value)) > 0
    if (what === 'shift') return this.#line.shift() === this.#took(this.#list.shift())
    if (what === 'pop') return this.#line.pop() === this.#took(this.#list.pop())
    if (what === 'remove') return this.#remove(this.#list.splice(which, 1)[0])
    const gone = this.#gone[which]
    return gone === undefined || !this.#line.remove(gone)
  }

  #took(place: Place<number> | undefined): Place<number> | undefined {
    if (place !== undefined) this.#gone.push(place)
    return place
  }

  #remove(place: Place<number> | undefined): boolean {
    return place === undefined || this.#line.remove(this.#took(place) as Place<number>)
  }

  get sameToTheEnd(): boolean {
    return this.#list.every((place) => this.#line.shift() === place) && this.#line.shift() === undefined
  }
}

t.test('a line is a list, whoever leaves it from where', (t) => {
  assert(
    property(array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const pair = new Pair()
      return steps.every(({ what, which }, index) => pair.play(what, which, index)) && pair.sameToTheEnd
    }),
  )
  t.pass('like a list')
  t.end()
})

t.test('a place of another line is not taken out', (t) => {
  const [one, two] = [new WaitingLine<string>(), new WaitingLine<string>()]
  const place = one.push('a')
  t.equal(two.remove(place), false)
  t.equal(one.length, 1)
  t.end()
})
