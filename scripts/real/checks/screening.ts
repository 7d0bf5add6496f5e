import { strict as assert } from 'node:assert'
import { type Bench, endingOf, finishReasons, question, streamed, textOf, toolArguments } from '../bench.ts'
import type { Role } from '../front.ts'

const card = '4111 1111 1111 1111'
const mail = 'jane.doe@example.com'
/** Forces the card out of any model without writing it down: prompt rules have nothing to find in this. */
const schema = {
  type: 'object',
  properties: { card: { type: 'string', pattern: '^4[1]{3} [1]{4} [1]{4} [1]{4}$' } },
  required: ['card'],
  additionalProperties: false,
}

/** The prompt as llama-server's slots saw it. */
export async function promptChecks({ section, front, server, model }: Bench): Promise<void> {
  await section.check('a card and an address in the prompt never reach the server', async () => {
    await front.openai().chat.completions.create({
      model,
      max_tokens: 4,
      messages: [
        { role: 'system', content: `Cards such as ${card} are secret.` },
        { role: 'assistant', content: `I wrote to ${mail}.` },
        { role: 'user', content: [{ type: 'text', text: `Mine is ${card}, write to ${mail}` }] },
      ],
    })
    const seen = (await server.prompts?.()) ?? ''
    assert.ok(seen.includes('[CREDIT_CARD]') && seen.includes('[EMAIL_ADDRESS]'), 'no placeholder arrived')
    assert.ok(!seen.includes('4111') && !seen.includes('jane'), 'a value arrived')
    return undefined
  })
}

/** A JSON Schema makes the model say a card; the reply masks it and is still JSON. */
export async function structuredChecks(bench: Bench): Promise<void> {
  const { section, front, model } = bench
  const body = {
    model,
    messages: question('Which card?'),
    max_tokens: 300,
    response_format: { type: 'json_schema', json_schema: { name: 'payment', schema } },
  }
  await section.check('json_schema, streamed: the card is masked, the JSON is whole', async () => {
    const reply = await streamed(front, '/v1/chat/completions', body)
    return await masked(bench, reply.requestId, textOf(reply.events).text, reply.bytes)
  })
  await section.check('json_schema, in one piece: the same', async () => {
    const { data, response } = await front
      .openai()
      .chat.completions.create(body as never)
      .withResponse()
    const text = (data as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? ''
    return await masked(bench, response.headers.get('x-request-id') ?? '', text, JSON.stringify(data))
  })
  await section.check('json_schema, without a reply rule: the model does say it', async () => {
    const reply = await streamed(front, '/v1/chat/completions', body, 'open')
    assert.equal(JSON.parse(textOf(reply.events).text).card, card)
    return undefined
  })
}

async function masked({ front }: Bench, requestId: string, text: string, bytes: string): Promise<string> {
  assert.deepEqual(JSON.parse(text), { card: '[CREDIT_CARD]' })
  assert.ok(!/4111|1111/.test(bytes.replaceAll(/"(id|created)":[^,]*/g, '')), 'digits of the card came')
  assert.equal((await endingOf(front, requestId)).outcome, 'completed')
  return text.replaceAll(/\s+/g, ' ')
}

/** Tool calls with the card in their arguments, a digit or two an event. `forced` is what makes the model call. */
export async function toolChecks(
  { section, front, model }: Bench,
  forced: { readonly logit_bias?: Record<string, number>; readonly tool_choice?: 'required' },
): Promise<void> {
  const call = (role: Role) =>
    streamed(
      front,
      '/v1/chat/completions',
      {
        model,
        messages: question('Pay.'),
        max_tokens: 200,
        ...forced,
        tools: [{ type: 'function', function: { name: 'pay', strict: true, parameters: schema } }],
        stream_options: { include_usage: true },
      },
      role,
    )
  await section.check('tool calls, streamed: the card is masked, the arguments are JSON', async () => {
    const reply = await call('app')
    const [reason] = finishReasons(reply.events)
    // The last call is not whole when the bound on the output cut it.
    const calls = toolArguments(reply.events).slice(0, reason === 'length' ? -1 : undefined)
    assert.ok(calls.length > 0, 'no tool call')
    for (const text of calls) assert.deepEqual(JSON.parse(text), { card: '[CREDIT_CARD]' })
    assert.ok(!reply.bytes.includes(card), 'the card came')
    assert.equal(finishReasons(reply.events).length, 1)
    assert.ok(reply.done, 'no [DONE]')
    return `${calls.length} calls in ${reply.events.length} events`
  })
  await section.check('tool calls, without a reply rule: the model does say it', async () => {
    const [first = ''] = toolArguments((await call('open')).events)
    assert.equal(JSON.parse(first).card, card)
    return undefined
  })
  await section.check('npm client: the .stream() helper puts tool calls together', async () => {
    const stream = front.openai().chat.completions.stream({
      model,
      messages: question('Pay.'),
      max_tokens: 60,
      ...forced,
      tools: [{ type: 'function', function: { name: 'pay', strict: true, parameters: schema } }],
    })
    const { choices } = await stream.finalChatCompletion().catch((error: unknown) => {
      // Cut by max_tokens within its last call, which the helper reports as an error of its own.
      assert.match(String(error), /length/i)
      return { choices: [] }
    })
    return choices[0] ? `${choices[0].message.tool_calls?.length} calls` : 'cut by max_tokens, and it says so'
  })
}
