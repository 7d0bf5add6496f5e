import { strict as assert } from 'node:assert'
import OpenAI from 'openai'
import { type Bench, question } from '../bench.ts'

const messages = question('Hello')

/** Refusals, the gateway's own and the model server's, are the typed errors of the stock client. */
export async function refusalChecks(bench: Bench): Promise<void> {
  const { section, front, model } = bench
  const openai = front.openai()
  const chat = (body: object, client = openai) =>
    client.chat.completions.create({ model, messages, max_tokens: 4, ...body } as never)
  await section.check('a grammar of the caller is refused', () =>
    refused(chat({ grammar: 'root ::= "x"' }), OpenAI.BadRequestError, 'unsupported_parameter'),
  )
  await section.check('an unknown model is refused', () =>
    refused(chat({ model: 'gpt-none' }), OpenAI.NotFoundError, 'model_not_found'),
  )
  await section.check('a token of nobody is refused', () =>
    refused(
      chat({}, front.openai().withOptions({ apiKey: 'nobody' })),
      OpenAI.AuthenticationError,
      'invalid_token',
    ),
  )
  const long = { messages: question('many words '.repeat(20_000)) }
  await section.check("the server's refusal of a long prompt, whole", () =>
    refused(chat(long), OpenAI.BadRequestError, 'context_length_exceeded'),
  )
  await section.check("the server's refusal of a long prompt, streamed", () =>
    refused(chat({ ...long, stream: true }), OpenAI.BadRequestError, 'context_length_exceeded'),
  )
}

/** Expects the error class and the code. */
export async function refused(
  call: PromiseLike<unknown>,
  kind: new (...args: never[]) => Error,
  code: string,
): Promise<string> {
  const error = await Promise.resolve(call).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof kind, `not a ${kind.name}: ${String(error)}`)
  const { status, code: said } = error as Error & { status?: number; code?: string }
  assert.equal(said, code)
  return `${status} ${said}`
}
