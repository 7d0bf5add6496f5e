// What the driver asks the timed model server for. It stands in the prompt, since that is what every gateway passes on, and
// the answer holds words alone: no gateway has a reason to change or to hold them.

export interface TimedCall {
  /** Number of the call in the run: pairs what was sent with what arrived. */
  readonly id: number
  /** Tokens of the answer, one event each in a stream. */
  readonly tokens: number
  /** Between two tokens. */
  readonly gapMs: number
  readonly blanks: Blanks
}

/**
 * `trailing`: a token is a whole word, and redaction has no reason to hold it. `leading`, as most models speak: whether a
 * word has ended is only known when the next token comes, and a gateway that redacts may have to wait for it.
 */
export type Blanks = 'leading' | 'trailing'

export const TOKENS_MAX = 10_000
const GAP_MS_MAX = 60_000
const written = /^timed call (\d{1,9}), tokens (\d{1,5}), gap (\d{1,5}), blanks (leading|trailing)\./

const prose =
  'The quick brown fox jumps over the lazy dog and then it writes a report about it for everyone. '.split(' ')
const words = prose.filter((word) => word !== '').map((word) => word.toLowerCase().replace('.', ''))

/** The tokens that the server says. */
export const tokensOf = ({ tokens, blanks }: Pick<TimedCall, 'tokens' | 'blanks'>): string[] =>
  Array.from({ length: tokens }, (_, n) => {
    const word = words[n % words.length]
    return blanks === 'leading' ? ` ${word}` : `${word} `
  })

/** What the prompt says, filled up with prose to about that many bytes. */
export function writePrompt({ id, tokens, gapMs, blanks }: TimedCall, bytes: number): string {
  const order = `timed call ${id}, tokens ${tokens}, gap ${gapMs}, blanks ${blanks}.`
  const filler = ` ${prose.join(' ')}`
  return order + filler.repeat(Math.max(0, Math.ceil((bytes - order.length) / filler.length)))
}

/** The order in a prompt; `undefined` when it holds none that is within bounds. */
export function readPrompt(prompt: string): TimedCall | undefined {
  const found = written.exec(prompt)
  if (found === null) return undefined
  const [id, tokens, gapMs] = found.slice(1, 4).map(Number) as [number, number, number]
  const blanks = found[4] as Blanks
  return tokens < 1 || tokens > TOKENS_MAX || gapMs > GAP_MS_MAX ? undefined : { id, tokens, gapMs, blanks }
}

/** The body of a chat completion. */
export const timedBody = (call: TimedCall, { stream, bytes }: { stream: boolean; bytes: number }): string =>
  JSON.stringify({
    model: 'demo',
    ...(stream ? { stream } : {}),
    max_tokens: Math.max(16, call.tokens),
    messages: [{ role: 'user', content: writePrompt(call, bytes) }],
  })
