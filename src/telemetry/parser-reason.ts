import type { parserReasons } from './label-values.ts'

export type ParserReason = (typeof parserReasons)[number]

/** Codes of Node's HTTP parser, by the words that they contain; the first that fits wins. */
const byWord: readonly (readonly [string, ParserReason])[] = [
  ['OVERFLOW', 'too_large'],
  ['REQUEST_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['INVALID_EOF_STATE', 'reset'],
  ['TRANSFER_ENCODING', 'framing'],
  ['CONTENT_LENGTH', 'framing'],
  ['CHUNK', 'framing'],
  ['HPE_', 'syntax'],
]

/** Sorts the `code` of a `clientError` into the closed set of the metric; unknown codes give `undefined` (`_other`). */
export function parserReason(code: unknown): ParserReason | undefined {
  if (typeof code !== 'string') return undefined
  return byWord.find(([word]) => code.includes(word))?.[1]
}
