import { strict as assert } from 'node:assert'
import { Pool } from 'undici'
import { type Bench, question } from '../bench.ts'
import type { ModelServer } from '../model-server.ts'

const messages = question('Hi')

/**
 * llama-server announces keep-alive and closes after each streamed reply: a pooled connection dies under the next
 * request. Each of these must succeed without a retry of the client.
 */
export async function keepAliveChecks(
  { section, front, server }: Bench,
  models: Readonly<Record<string, string>>,
): Promise<void> {
  const openai = front.openai()
  const stream = (model: string) => async (): Promise<void> => {
    const call = { model, messages, max_tokens: 8, stream: true } as const
    let finished = false
    for await (const chunk of await openai.chat.completions.create(call)) {
      finished ||= Boolean(chunk.choices[0]?.finish_reason)
    }
    assert.ok(finished, 'the stream ended without a reason')
  }
  const bare = await failuresWithout(server)
  for (const [workers, rounds] of [
    [4, 60],
    [16, 15],
  ] as const) {
    for (const [setting, model] of Object.entries(models)) {
      await section.check(`${workers} workers x ${rounds} streams, keepAlive ${setting}`, async () => {
        const before = (await front.settled()).length
        const errors = await repeat(stream(model), workers, rounds)
        const endings = (await front.settled()).slice(before)
        const attempts = endings.reduce((sum, { attempts = 1 }) => sum + attempts, 0)
        assert.deepEqual(errors.slice(0, 3), [], `${errors.length} of ${workers * rounds} failed`)
        assert.equal(endings.length, workers * rounds)
        assert.ok(endings.every(({ outcome }) => outcome === 'completed'))
        const retries = attempts - endings.length
        return `${endings.length}/${endings.length} ok, ${retries} retries by the gateway; a bare pool lost ${bare}`
      })
    }
  }
}

async function repeat(one: () => Promise<void>, workers: number, rounds: number): Promise<string[]> {
  const errors: string[] = []
  const worker = async (): Promise<void> => {
    for (let i = 0; i < rounds; i++) await one().catch((error: unknown) => errors.push(String(error)))
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return errors
}

/** The same without a gateway, by a pool that retries nothing: how many of 240 it loses. */
async function failuresWithout({ origin, apiKey, model }: ModelServer): Promise<number> {
  const pool = new Pool(origin, { connections: 4 })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` }
  const body = JSON.stringify({ model, messages, max_tokens: 8, stream: true })
  const one = async (): Promise<void> => {
    const answer = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers, body })
    await answer.body.dump()
  }
  const lost = await repeat(one, 4, 60)
  await pool.destroy()
  return lost.length
}
