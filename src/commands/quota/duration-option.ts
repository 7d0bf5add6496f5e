import { InvalidArgumentError } from 'commander'

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }

/** As the API: an override that nobody remembers should not outlive the month. */
const SECONDS_MAX = 31 * 86_400
const SECONDS_MIN = 10

/** `90m`, `2h`, `1d12h`: seconds. */
export function durationOption(text: string): number {
  const isDuration = /^(?:\d{1,7}[smhdw]){1,5}$/.test(text)
  const seconds = isDuration
    ? [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit as string] as number),
        0,
      )
    : 0
  if (seconds >= SECONDS_MIN && seconds <= SECONDS_MAX) return seconds
  throw new InvalidArgumentError('A time is such as 45m, 2h or 1d12h (s, m, h, d, w), from 10s to 31d.')
}
