// The figures of a flood as a person reads them.
import type { Figures, Summary } from './figures.ts'
import { type Priority, SERVERS } from './gateway.ts'

const row = (name: string, ...cells: string[]): string =>
  `${name.padEnd(30)}${cells.map((cell) => cell.padStart(13)).join('')}\n`
const ms = (value: number): string => `${value.toFixed(0)} ms`
const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`
const line = (name: string, { goodput, heldMs, firstP50, firstP99, totalP50, totalP99 }: Summary): string =>
  row(name, goodput.toFixed(1), ms(heldMs), ms(firstP50), ms(firstP99), ms(totalP50), ms(totalP99))

export function table(figures: Figures, bars: Readonly<Record<string, boolean>>): string {
  const { sweep, whole, perClass, after } = figures
  const counts = (priority: Priority): string =>
    row(
      `  ${priority}: of ${perClass[priority].asked}`,
      Object.entries(perClass[priority].counts)
        .map(([code, count]) => `${count} ${code}`)
        .join(', '),
    )
  const places = SERVERS * figures.connectionsMax
  return [
    row('', 'calls/s', 'place held', 'first p50', 'first p99', 'total p50', 'total p99'),
    ...sweep.map((step) => line(`closed loop, ${step.concurrency} at a time`, step)),
    line(`flood, ${figures.offered.toFixed(0)} calls/s offered`, whole),
    line('  interactive', perClass.interactive),
    line('  batch', perClass.batch),
    line(`after, ${sweep[0].concurrency} at a time`, after),
    row('goodput / peak', (whole.goodput / figures.peak).toFixed(3)),
    row('places in use', `${((whole.goodput * whole.heldMs) / 10 / places).toFixed(0)} %`),
    counts('interactive'),
    counts('batch'),
    row('refused within (p99)', ms(figures.refusedP99)),
    row('audit record on disk (p99)', ms(figures.recordP99)),
    row('memory of the gateway', mib(figures.rssBefore), mib(figures.rssMax)),
    row('processor of the gateway', `${(figures.cpuShare * 100).toFixed(0)} %`),
    row('arrivals late by (p99)', ms(figures.lateP99)),
    row('all gauges 0 after', ms(figures.quietMs)),
    ...Object.entries(bars).map(([bar, isMet]) => row(`${isMet ? 'met' : 'MISSED'}: ${bar}`)),
  ].join('')
}
