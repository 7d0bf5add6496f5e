import { strict as assert } from 'node:assert'
import { type Bench, lastEnding } from '../bench.ts'

/** Embeddings, as the stock client asks for them (base64) and as numbers. */
export async function embeddingChecks({ section, front, model }: Bench): Promise<void> {
  const openai = front.openai()
  const embed = async (input: string | string[], format?: 'float' | 'base64'): Promise<number[][]> => {
    const options = format === undefined ? {} : { encoding_format: format }
    const { data } = await openai.embeddings.create({ model, input, ...options })
    return data.map(({ embedding }) => embedding)
  }
  await section.check('npm client: embeddings, as it asks for them and as numbers', async () => {
    const [packed = []] = await embed('two doors')
    const [numbers = []] = await embed('two doors', 'float')
    assert.ok(numbers.length > 0 && packed.length === numbers.length, `${packed.length}, ${numbers.length}`)
    assert.ok(closeTo(packed, numbers), 'the two forms differ')
    assert.equal((await embed(['one', 'two', 'three'])).length, 3)
    const ending = await lastEnding(front)
    assert.ok((ending.input_tokens ?? 0) >= 3 && ending.output_tokens === 0, 'usage is wrong')
    return `${numbers.length} numbers`
  })
  await section.check('embeddings: a card is masked before the server embeds it', async () => {
    const [real = []] = await embed('pay with 4111 1111 1111 1111 now')
    const [mask = []] = await embed('pay with [CREDIT_CARD] now')
    assert.ok(closeTo(real, mask), 'it embedded something else than the placeholder')
    return undefined
  })
}

const closeTo = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => Math.abs(value - (b[i] ?? Number.NaN)) < 1e-4)
