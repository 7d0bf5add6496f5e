// Slopes of a soak, against lines that are known.
import t from 'tap'
import { slopeOf } from '../../loadtest/deploy/slope.ts'
import { table } from '../../loadtest/deploy/table.ts'
import { seededRandom } from '../../loadtest/simulated/random.ts'

const random = seededRandom(3)
const noise = (): number => random.next() - 0.5
const points = (count: number, y: (x: number) => number) =>
  Array.from({ length: count }, (_, x) => [x, y(x)] as const)

t.test('a line without noise has its slope, and no doubt', (t) => {
  const { slope, plusMinus } = slopeOf(points(50, (x) => 3 * x + 7))
  t.ok(Math.abs(slope - 3) < 1e-9)
  t.ok(plusMinus < 1e-6)
  t.end()
})

t.test('a leak under noise is told from none', (t) => {
  const leak = slopeOf(points(300, (x) => 0.05 * x + 4 * noise()))
  t.ok(leak.slope - leak.plusMinus > 0.03)
  const none = slopeOf(points(300, () => 4 * noise()))
  t.ok(Math.abs(none.slope) < none.plusMinus * 2)
  t.end()
})

t.test(
  'the ups and downs of a garbage collector are no leak, although a plain fit would be sure of one',
  (t) => {
    // One and three quarters of its rounds: the last one stops high.
    const { slope, plusMinus } = slopeOf(points(300, (x) => ((x + 75) % 150) / 3))
    t.ok(Math.abs(slope) < plusMinus, `${slope} is within ${plusMinus}`)
    t.end()
  },
)

t.test('a table in Markdown', (t) => {
  t.equal(
    table([
      { run: 1, cut: 0 },
      { run: 10, cut: 0 },
    ]),
    '| run | cut |\n|----:|----:|\n|   1 |   0 |\n|  10 |   0 |\n',
  )
  t.end()
})
