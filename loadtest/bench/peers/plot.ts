/** Two panels of dots on logarithmic axes as SVG: gateway CPU of a request and of an event. Readable in light and dark. */
import type { Results } from './results.ts'
import { middle, perCallMs, perEventUs } from './summary.ts'

const WIDTH = 880
const LABELS = 250
const GAP = 40
const ROW = 26
const TOP = 64
const BOTTOM = 40
const PANEL = (WIDTH - LABELS - GAP - 60) / 2

interface Dot {
  readonly name: string
  readonly title: string
  readonly value: number
}

interface Panel {
  readonly head: string
  readonly digits: number
  readonly left: number
  readonly dots: readonly Dot[]
}

const style = `
  .page { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .tick, .value { font-size: 11px; fill: #59636e }
  .grid { stroke: #d1d9e0 }
  .dot { fill: #59636e }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #f0f6fc }
    .tick, .value { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .dot { fill: #9198a1 }
    .ours { fill: #4493f8 }
  }
`

export function plot(results: Results): string {
  const height = TOP + results.rows.length * ROW + BOTTOM
  const dots = (value: (row: string) => number): Dot[] =>
    results.rows.map(({ name, title }) => ({ name, title, value: value(name) }))
  const panels: Panel[] = [
    {
      head: 'CPU of a 1 KB request, ms',
      digits: 2,
      left: LABELS,
      dots: dots((row) => middle(perCallMs(results, row, 'chat'))),
    },
    {
      head: 'CPU of a streamed event, µs',
      digits: 0,
      left: LABELS + PANEL + GAP,
      dots: dots((row) => middle(perEventUs(results, row))),
    },
  ]
  const labels = results.rows.map(
    ({ title }, index) =>
      `<text x="${LABELS - 12}" y="${lineOf(index) + 4}" text-anchor="end">${escaped(title)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Gateway CPU of a 1 KB request and of a streamed event, by gateway, logarithmic">
<style>${style}</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
${[...labels, ...panels.map((panel) => panelOf(panel, height))].join('\n')}
</svg>
`
}

const lineOf = (index: number): number => TOP + index * ROW + ROW / 2

function panelOf({ head, digits, left, dots }: Panel, height: number): string {
  const known = dots.map(({ value }) => value).filter((value) => value > 0)
  const [low, high] = decadesOf(known)
  const x = (value: number): number => Math.round(left + ((Math.log10(value) - low) / (high - low)) * PANEL)
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)).map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${height - BOTTOM}"/>` +
      `<text class="tick" x="${x(tick)}" y="${height - BOTTOM + 16}" text-anchor="middle">${tick}</text>`,
  )
  const marks = dots.flatMap(({ name, value }, index) => {
    const y = lineOf(index)
    if (!(value > 0)) return [`<text class="value" x="${left}" y="${y + 4}">not measured</text>`]
    const kind = name.startsWith('sallyport') ? 'dot ours' : 'dot'
    return [
      `<circle class="${kind}" cx="${x(value)}" cy="${y}" r="5"/>`,
      `<text class="value" x="${x(value) + 10}" y="${y + 4}">${value.toFixed(digits)}</text>`,
    ]
  })
  return [`<text class="head" x="${left}" y="34">${head}</text>`, ...ticks, ...marks].join('\n')
}

/** Whole decades around all values, at least one. */
function decadesOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1]
  const low = Math.floor(Math.log10(Math.min(...values)))
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))]
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
