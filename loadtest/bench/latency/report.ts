import { median } from '../../driver/quantiles.ts'
import { faultsOf, figuresOf, isMissed, type Round } from './figures.ts'
import type { Knee } from './knee.ts'
import { type Measured, STREAM_GAP_MS } from './measure.ts'

export interface LatencyRun {
  readonly knees: {
    readonly sallyport?: { readonly whole?: Knee; readonly streams?: Knee }
    readonly bare?: { readonly whole?: Knee; readonly streams?: Knee }
  }
  readonly rate: number
  readonly tokenRate: number
  readonly rounds: readonly Round[]
  /** Sallyport with tokens that lead with a blank, each round: what redaction holds. */
  readonly held: readonly Measured[]
}

/** The run as it is printed with --json. */
export function resultOf(run: LatencyRun) {
  const figures = figuresOf(run.rounds)
  const perCore = (knee: Knee | undefined) => (knee === undefined ? null : knee.at.perSecond / knee.at.cores)
  return {
    node: process.versions.node,
    ...run,
    perCoreAtKnee: {
      requests: perCore(run.knees.sallyport?.whole),
      tokens: perCore(run.knees.sallyport?.streams),
    },
    figures,
    faults: faultsOf(run.rounds).faults,
    driverLateP99Ms: Math.max(
      ...run.rounds.flatMap(({ whole, streams }) =>
        [whole, streams].flatMap((ways) => Object.values(ways).map(({ lateP99 }) => lateP99)),
      ),
    ),
    isMet: !figures.some(isMissed),
  }
}

export type LatencyResult = ReturnType<typeof resultOf>

const ms = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '-').padStart(9)

export function textOf(result: LatencyResult): string {
  return [...kneeLines(result), ...figureLines(result), ...heldLines(result), ...faultLines(result)].join(
    '\n',
  )
}

function kneeLines({ knees, rate, tokenRate }: LatencyResult): string[] {
  const units = { whole: 'requests/s', streams: 'tokens/s  ' }
  const lines: string[] = []
  for (const side of ['sallyport', 'bare'] as const)
    for (const kind of ['whole', 'streams'] as const) {
      const at = knees[side]?.[kind]?.at
      if (at === undefined) continue
      lines.push(
        `knee of ${side.padEnd(10)} ${at.perSecond.toFixed(0).padStart(6)} ${units[kind]} with ${at.callers} callers, ` +
          `gateway on ${at.cores.toFixed(2)} cores: ${(at.perSecond / at.cores).toFixed(0)} a core`,
      )
    }
  lines.push(`measured at ${rate.toFixed(0)} requests/s, then at ${tokenRate.toFixed(0)} tokens/s`, '')
  return lines
}

function figureLines({ figures }: LatencyResult): string[] {
  const heads = ['direct', 'bare', 'sallyport', 'bare', 'sallyport', 'bar']
  const head = heads.map((each) => each.padStart(9)).join(' ')
  const lines = [`${''.padEnd(47)}${'as measured'.padStart(29)}${'added to direct'.padStart(20)}`]
  lines.push(`${'milliseconds'.padEnd(47)}${head}`)
  for (const figure of figures) {
    const { measure, raw, added, barMs } = figure
    const values = [raw.direct, raw.bare, raw.sallyport, added.bare, added.sallyport].map(ms).join(' ')
    const verdict = barMs === undefined ? '' : `${ms(barMs)}  ${isMissed(figure) ? 'MISSED' : 'met'}`
    lines.push(`${measure.padEnd(47)}${values} ${verdict}`.trimEnd())
  }
  return lines
}

function heldLines({ held, figures }: LatencyResult): string[] {
  const first = median(held.map(({ times }) => times['firstToken']?.p50 ?? Number.NaN))
  const delay = median(held.map(({ times }) => times['delay']?.p50 ?? Number.NaN))
  const at = (measure: string): number =>
    figures.find((figure) => figure.measure === measure)?.raw.sallyport ?? Number.NaN
  const firstHeld = first - at('time to first token, p50')
  const delayHeld = delay - at('token, server to client, p50')
  return [
    '',
    `held by reply redaction when blanks lead the tokens (${STREAM_GAP_MS} ms between tokens): ` +
      `first token +${firstHeld.toFixed(2)} ms, each token +${delayHeld.toFixed(2)} ms (p50)`,
  ]
}

/** A driver that begins its calls later than this has not had the processor: nothing that it stamps is then what it says. */
const LATE_MS_MAX = 5

function faultLines({ faults, driverLateP99Ms }: LatencyResult): string[] {
  return [
    `driver: calls began at most ${driverLateP99Ms.toFixed(2)} ms late (p99)`,
    ...(driverLateP99Ms > LATE_MS_MAX
      ? ['THE MACHINE IS TOO BUSY: the driver itself was kept waiting, and all of the above is noise']
      : []),
    ...faults.map((fault) => `NOT ANSWERED: ${fault}`),
    '',
  ]
}
