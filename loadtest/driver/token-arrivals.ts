// When each token of a streamed answer had arrived. A gateway may join events or hold a text back and let it go with the next
// one, so tokens are found by their place in the text: a token has arrived when its last character has.
import type { Receipt } from './timed-client.ts'

interface Part {
  readonly atMs: number
  /** Length of the text so far, UTF-16 code units. */
  readonly textEnd: number
}

interface Streamed {
  readonly text: string
  readonly parts: readonly Part[]
  readonly done: boolean
}

/**
 * Arrival of each token (monotonic milliseconds), one per token of `tokens`. Throws an Error that says what is wrong when the
 * stream did not say exactly these tokens and `[DONE]`.
 */
export function tokenArrivals(receipts: readonly Receipt[], tokens: readonly string[]): number[] {
  const { text, parts, done } = readStream(receipts)
  const expected = tokens.join('')
  if (text !== expected)
    throw new Error(`said ${text.length} characters, not these ${expected.length}: ${text.slice(0, 80)}`)
  if (!done) throw new Error('the stream ended without [DONE]')
  let end = 0
  let at = 0
  return tokens.map((token) => {
    end += token.length
    while ((parts[at]?.textEnd ?? Number.POSITIVE_INFINITY) < end) at += 1
    return parts[at]?.atMs ?? Number.NaN
  })
}

function readStream(receipts: readonly Receipt[]): Streamed {
  const parts: Part[] = []
  const decoder = new TextDecoder()
  let text = ''
  let rest = ''
  let done = false
  for (const { atMs, bytes } of receipts) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (event === 'data: [DONE]') done = true
      else text += saidBy(event)
    }
    if (text.length > (parts.at(-1)?.textEnd ?? 0)) parts.push({ atMs, textEnd: text.length })
  }
  return { text, parts, done }
}

function saidBy(event: string): string {
  if (!event.startsWith('data: ')) return ''
  const { choices } = JSON.parse(event.slice(6)) as { choices?: { delta?: { content?: string | null } }[] }
  return choices?.[0]?.delta?.content ?? ''
}
