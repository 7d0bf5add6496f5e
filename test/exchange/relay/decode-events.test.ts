import fc from 'fast-check'
import t from 'tap'
import { decodeEvents } from '../../../src/exchange/relay/decode-events.ts'
import { openReplies } from '../../../src/openai/reply-dialect.ts'
import { answerOf, chatEvent, DONE } from '../fake-parts.ts'

const bounds = { eventBytesMax: 1_000, replyBytesMax: 4_000 }

/** The texts that come out, and how it ends. */
async function decoded(chunks: Iterable<string | Uint8Array>, limits = bounds): Promise<string[]> {
  const out: string[] = []
  const dialect = openReplies('chat.completions', { logprobs: false })
  try {
    for await (const batch of decodeEvents(answerOf(chunks).body, dialect, 'demo', limits)) {
      out.push(...batch.replies.flatMap(({ texts }) => texts.map(({ text }) => text)))
      if (batch.done) out.push('DONE')
    }
    return out
  } catch (error) {
    return [...out, (error as { code: string }).code]
  }
}

const say = (content: string): string => chatEvent({ content })
const streams: Record<string, [string, string[]]> = {
  'a good stream': [say('a') + say('naïve \u{1f600}') + DONE, ['a', 'naïve \u{1f600}', 'DONE']],
  'comments, other fields and CRLF': [
    `: hello\r\n\r\nid: 7\r\nretry: 1\r\n${say('a').trim()}\r\n\r\n${DONE}`,
    ['a', 'DONE'],
  ],
  'an event of null, as llama-server sends it': [`data: null\n\n${say('a')}${DONE}`, ['a', 'DONE']],
  'nothing after [DONE]': [say('a') + DONE + say('b'), ['a', 'DONE']],
  '[DONE] without a blank line': [`${say('a')}data: [DONE]`, ['a', 'DONE']],
  'no [DONE]': [say('a'), ['a']],
  'nothing at all': ['', []],
  'half an event': [say('a') + say('b').slice(0, -1), ['a', 'upstream_truncated']],
  'an error event': [
    `${say('a')}data: {"error":{"message":"x","code":500}}\n\n${DONE}`,
    ['a', 'upstream_error'],
  ],
  'no JSON': [`${say('a')}data: {\n\n${say('b')}`, ['a', 'upstream_protocol']],
  'another shape': [`${say('a')}data: {"choices":7}\n\n`, ['a', 'upstream_protocol']],
  'an event that is too large': [say('a') + say('b'.repeat(2_000)), ['a', 'upstream_protocol']],
}

for (const [name, [stream, expected]] of Object.entries(streams)) {
  t.test(`${name}: the same for every cut`, async (t) => {
    const bytes = Buffer.from(stream)
    t.same(await decoded(stream === '' ? [] : [bytes]), expected)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }),
        async (cuts) => {
          const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
          const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
          t.same(await decoded(chunks), expected)
        },
      ),
      { numRuns: 20 },
    )
  })
}

t.test('a reply above its bound ends', async (t) => {
  const many = Array.from({ length: 100 }, () => say('a'))
  t.equal((await decoded(many)).at(-1), 'upstream_reply_too_large')
})
