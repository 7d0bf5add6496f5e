// Line charts as SVG that needs no script: a report is a file that can be sent.

export interface Line {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
}

const WIDTH = 560
const HEIGHT = 200
const edge = { left: 52, right: 12, top: 12, bottom: 26 }
const inner = { width: WIDTH - edge.left - edge.right, height: HEIGHT - edge.top - edge.bottom }
const TICKS = 4

/** 1, 2 or 5 times a power of ten: the next step that is no smaller. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  return ([1, 2, 5, 10].find((factor) => factor * power >= step) ?? 10) * power
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const shown = (value: number): string => String(Number(value.toPrecision(4)))

/** A figure with its legend; a chart without values says so. `xMax` in seconds, so that all charts have one scale. */
export function svgOf({ title, unit, lines }: Chart, xMax: number): string {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y))
  const step = roundStep(Math.max(1e-3, ...values) / TICKS)
  const yMax = step * TICKS
  const x = (value: number): string => (edge.left + (value / Math.max(1, xMax)) * inner.width).toFixed(1)
  const y = (value: number): string => (edge.top + (1 - value / yMax) * inner.height).toFixed(1)
  const grid = Array.from({ length: TICKS + 1 }, (_, index) => {
    const at = y(index * step)
    return `<line class="grid" x1="${edge.left}" x2="${WIDTH - edge.right}" y1="${at}" y2="${at}"/><text class="y" x="${edge.left - 6}" y="${at}">${shown(index * step)}</text>`
  })
  const times = [0, 0.5, 1].map((share) => {
    const at = share * xMax
    return `<text class="x${share === 1 ? ' last' : ''}" x="${x(at)}" y="${HEIGHT - 8}">${shown(Math.round(at))} s</text>`
  })
  const drawn = lines.map(({ points }, index) => {
    const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')
    return `<polyline class="line${index}" points="${path}"/>`
  })
  const legend = lines.map(({ label }, index) => `<span class="key${index}">${escaped(label)}</span>`)
  const body = values.length === 0 ? '<p>nothing was measured</p>' : ''
  const name = `${title}, ${unit}`
  return `<figure><figcaption>${escaped(name)} ${legend.join(' ')}</figcaption>${body}<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(name)}">${[...grid, ...times, ...drawn].join('')}</svg></figure>`
}
