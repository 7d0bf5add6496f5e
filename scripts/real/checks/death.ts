import { strict as assert } from 'node:assert'
import OpenAI from 'openai'
import { type Bench, lastEnding, question } from '../bench.ts'
import { refused } from './refusals.ts'

/** Model servers that fail: the caller sees an error of its client, never a short answer that looks whole. */
export async function failureChecks(
  { section, front, longTokens, endless }: Bench,
  names: { readonly mortal: string; readonly wrongKey: string },
  kill: () => Promise<unknown>,
): Promise<void> {
  const openai = front.openai()
  const call = (model: string) => ({
    model,
    messages: question('Hi'),
    max_tokens: longTokens,
    logit_bias: endless,
  })
  await section.check("the gateway's key is refused by the server: not the caller's 401", async () => {
    const error = await openai.chat.completions
      .create(call(names.wrongKey))
      .catch((reason: unknown) => reason)
    assert.ok(error instanceof OpenAI.InternalServerError, String(error))
    return `${error.status} ${error.code}`
  })
  await section.check('the server is killed in a stream: an error, not an end', async () => {
    const stream = await openai.chat.completions.create({ ...call(names.mortal), stream: true })
    let chunks = 0
    const read = async (): Promise<void> => {
      for await (const _ of stream) {
        chunks += 1
        if (chunks === 5) await kill()
      }
    }
    const error = await read().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof OpenAI.APIError, `ended with ${String(error)} after ${chunks} chunks`)
    const ending = await lastEnding(front)
    assert.equal(ending.outcome, 'upstream_error')
    assert.ok((ending.output_tokens ?? 0) > 0, 'nothing was charged')
    return `${error.code} after ${chunks} chunks, ${ending.output_tokens} tokens charged`
  })
  await section.check('the server is gone: 502 or 503 at once', () =>
    refused(
      openai.chat.completions.create({ ...call(names.mortal), stream: true }),
      OpenAI.InternalServerError,
      'upstream_unavailable',
    ),
  )
}
