/** A stretch of text as its reader sees it, and where each of its units stands in what was sent. */
export interface TextPiece {
  readonly text: string
  readonly inString: boolean
  original(at: number): number
}

export const wholePiece = (text: string, base = 0, inString = false): TextPiece => ({
  text,
  inString,
  original: (at) => base + at,
})

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
const fourDigits = /^[0-9A-Fa-f]{4}$/

/** What the escape at `at` stands for, and its units; a broken one stands for itself. */
function escaped(json: string, at: number): { readonly unit: string; readonly units: number } {
  const letter = json[at + 1] ?? ''
  const digits = json.slice(at + 2, at + 6)
  if (letter === 'u' && fourDigits.test(digits))
    return { unit: String.fromCharCode(Number.parseInt(digits, 16)), units: 6 }
  return { unit: escapes[letter] ?? letter, units: letter === '' ? 1 : 2 }
}

function stringEnd(json: string, from: number): number {
  let at = from
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return Math.min(at, json.length)
}

function decodedString(json: string, from: number, to: number): TextPiece {
  const raw = json.slice(from, to)
  if (!raw.includes('\\')) return wholePiece(raw, from, true)
  const units: string[] = []
  const places = new Int32Array(raw.length + 1)
  for (let at = 0; at < raw.length; ) {
    places[units.length] = from + at
    const { unit, units: length } =
      raw[at] === '\\' ? escaped(raw, at) : { unit: raw[at] as string, units: 1 }
    units.push(unit)
    at += length
  }
  places[units.length] = to
  return { text: units.join(''), inString: true, original: (at) => places[at] as number }
}

/** The strings of a JSON text, decoded, and what stands between them. Text that is not JSON comes out whole, too. */
export function* jsonPieces(json: string): Generator<TextPiece> {
  for (let from = 0; from < json.length; ) {
    const quote = json.indexOf('"', from)
    const end = quote === -1 ? json.length : quote
    if (end > from) yield wholePiece(json.slice(from, end), from)
    if (quote === -1) return
    const close = stringEnd(json, quote + 1)
    yield decodedString(json, quote + 1, close)
    from = close + 1
  }
}
