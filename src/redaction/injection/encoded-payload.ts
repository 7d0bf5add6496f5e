import { CodeUnits } from '../code-units.ts'
import type { InjectionSignal } from './signal.ts'

/** Shorter runs hold no sentence. */
const runMin = 24
/** Of any length: where a long text is sliced, the last digit may stand alone. */
const hexadecimal = /^[0-9a-f]+$/i
const printableMin = 0.9

/** Base64 in either alphabet, hexadecimal digits. */
const isRunUnit = Uint8Array.from({ length: 128 }, (_, unit) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(unit)) ? 1 : 0,
)
export const inEncodedRun = (text: string, at: number): boolean => isRunUnit[text.charCodeAt(at)] === 1

const codeUnits = new CodeUnits(1 << 14)

/** Runs of at least `runMin` characters. Only every `runMin`-th one is looked at until one is of a run. */
function runs(text: string): (readonly [start: number, end: number])[] {
  const found: (readonly [number, number])[] = []
  const units = codeUnits.of(text)
  const isInside = (at: number): boolean => isRunUnit[units[at] as number] === 1
  let from = 0
  for (let probe = runMin - 1; probe < text.length; ) {
    let start = probe
    while (start >= from && isInside(start)) start--
    start++
    let end = probe
    while (end < text.length && isInside(end)) end++
    if (end - start >= runMin) found.push([start, end])
    from = Math.max(end, probe + 1)
    probe = from + runMin - 1
  }
  return found
}

function decode(token: string): string {
  return Buffer.from(token, hexadecimal.test(token) ? 'hex' : 'base64').toString('latin1')
}

function isText(decoded: string): boolean {
  let printable = 0
  for (let index = 0; index < decoded.length; index++) {
    const unit = decoded.charCodeAt(index)
    if ((unit >= 32 && unit < 127) || unit === 10 || unit === 13) printable++
  }
  return decoded.includes(' ') && printable >= decoded.length * printableMin
}

/** Each run is decoded once; what comes out is shorter, and is not decoded again. */
export function encodedSignals(
  text: string,
  signalsMax: number,
  isSuspect: (decoded: string) => boolean,
): InjectionSignal[] {
  const found: InjectionSignal[] = []
  for (const [start, end] of runs(text)) {
    const decoded = decode(text.slice(start, end))
    if (!isText(decoded) || !isSuspect(decoded)) continue
    found.push({ kind: 'encoded_payload', rule: 'encoded', start, end })
    if (found.length === signalsMax) break
  }
  return found
}
