import { parseKey } from './bucket-key.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const parts = [
  ['d', dayMs],
  ['h', hourMs],
  ['min', minuteMs],
  ['s', secondMs],
] as const

/** `2.4 s`, `3 min 5 s`, `1 d 4 h`: the two largest units; below ten seconds with a tenth, rounded up. */
export function duration(ms: number): string {
  if (ms < 10 * secondMs) return `${Math.ceil(ms / 100) / 10} s`
  const whole = Math.ceil(ms / secondMs) * secondMs
  const first = parts.findIndex(([, unit]) => whole >= unit)
  let left = whole
  const shown = parts.slice(first, first + 2).flatMap(([name, unit]) => {
    const count = Math.floor(left / unit)
    left -= count * unit
    return count === 0 ? [] : [`${count} ${name}`]
  })
  return shown.join(' ')
}

/** `2026-08-01 12:03:04 UTC`; what is no instant comes back as it is. */
export function instant(text: string): string {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? text : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

const words: Readonly<Record<string, string>> = {
  requests: 'requests',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  total_tokens: 'total tokens',
  cost: 'units of cost',
  in_flight: 'exchanges in flight',
}

/** `100000 total tokens a minute`, `8 exchanges in flight` */
export const amountText = (amount: number | string, counts: string, per: string): string =>
  `${amount} ${words[counts] ?? counts}${per === '' ? '' : ` ${per === 'hour' ? 'an' : 'a'} ${per}`}`

/** `tenant=acme, model=llama`, or `everybody` */
export function whomText(key: string): string {
  const { dimensions } = parseKey(key)
  return dimensions.length === 0
    ? 'everybody'
    : dimensions.map(([name, value]) => `${name}=${value}`).join(', ')
}

/** `1.2k`, `34M`: for the columns of `top` alone. */
export function short(value: number): string {
  const units = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const
  const [size, name] = units.find(([size]) => Math.abs(value) >= size) ?? [1, '']
  if (name === '') return String(Math.round(value * 100) / 100)
  const scaled = value / size
  // Downwards: 999 999 is not yet a million, and a bucket with room left is not yet full.
  return `${Math.abs(scaled) < 10 ? Math.trunc(scaled * 10) / 10 : Math.trunc(scaled)}${name}`
}
