import { strict as assert } from 'node:assert'
import {
  type Bench,
  endingOf,
  finishReasons,
  lastEnding,
  median,
  question,
  streamed,
  streamedDirect,
  textOf,
  usageOf,
} from '../bench.ts'

const messages = question('Tell me about gates with two doors.')

/** The stock npm client chats, streams and completes; what is charged is what the server generated. */
export async function chatChecks(bench: Bench): Promise<void> {
  const { section } = bench
  await section.check('npm client: the models of the policy, and none else', () => models(bench))
  await section.check('npm client: a chat in one piece', () => whole(bench))
  await section.check('npm client: a streamed chat', () => stream(bench))
  await section.check('usage: shown, charged and generated are the same', () => usage(bench))
  await section.check('npm client: a completion, whole and streamed', () => completion(bench))
  await section.check('n: 3 in a stream is counted in full', () => choicesStreamed(bench))
  await section.check('n: 3 in one piece is not undercounted', () => choicesWhole(bench))
  await section.check('two prompts in one completion are counted in full', () => twoPrompts(bench))
  await measureFirstToken(bench)
}

async function models({ front, model }: Bench): Promise<string> {
  const names: string[] = []
  for await (const { id } of await front.openai().models.list()) names.push(id)
  assert.ok(names.includes(model), `${model} is not listed`)
  return names.join(', ')
}

async function whole({ front, model, tokens }: Bench): Promise<string> {
  const { data, response } = await front
    .openai()
    .chat.completions.create({ model, messages, max_tokens: tokens })
    .withResponse()
  const [choice] = data.choices
  assert.ok(choice?.message.content, 'no text')
  assert.equal(data.model, model)
  assert.ok(['stop', 'length'].includes(choice.finish_reason), choice.finish_reason)
  assert.ok(data.usage && data.usage.completion_tokens > 0 && data.usage.prompt_tokens > 0, 'no usage')
  const ending = await endingOf(front, response.headers.get('x-request-id'))
  assert.equal(ending.outcome, 'completed')
  assert.equal(ending.output_tokens, data.usage.completion_tokens)
  return JSON.stringify(choice.message.content.slice(0, 50))
}

async function stream({ front, model, tokens }: Bench): Promise<string> {
  const reply = await front
    .openai()
    .chat.completions.create({ model, messages, max_tokens: tokens, stream: true })
  let text = ''
  let chunks = 0
  const finished: string[] = []
  for await (const chunk of reply) {
    chunks += 1
    assert.equal(chunk.model, model)
    assert.ok(!chunk.usage, 'usage was shown though nobody asked')
    text += chunk.choices[0]?.delta.content ?? ''
    if (chunk.choices[0]?.finish_reason) finished.push(chunk.choices[0].finish_reason)
  }
  assert.ok(text.length > 0 && chunks > 2, `${chunks} chunks, ${text.length} characters`)
  assert.equal(finished.length, 1)
  assert.equal((await lastEnding(front)).outcome, 'completed')
  return `${chunks} chunks, ended by ${finished[0]}`
}

async function usage({ front, server, model, tokens }: Bench): Promise<string> {
  const before = await server.generated()
  const reply = await streamed(front, '/v1/chat/completions', {
    model,
    messages,
    max_tokens: tokens,
    stream_options: { include_usage: true },
  })
  assert.equal(reply.status, 200)
  assert.match(reply.contentType, /^text\/event-stream/)
  assert.ok(reply.done, 'no [DONE]')
  assert.deepEqual(reply.events.at(-1)?.choices, [], 'the last event is the usage')
  const shown = usageOf(reply.events)?.completion_tokens
  const ending = await endingOf(front, reply.requestId)
  const generated = (await server.generated()) - before
  assert.deepEqual({ shown, charged: ending.output_tokens }, { shown: generated, charged: generated })
  return `${generated} tokens`
}

async function completion({ front, model, tokens }: Bench): Promise<string> {
  const call = { model, prompt: 'The capital of France is', max_tokens: tokens, temperature: 0 }
  const answer = await front.openai().completions.create(call)
  assert.ok(answer.choices[0]?.text, 'no text')
  assert.ok(answer.usage && answer.usage.completion_tokens > 0, 'no usage')
  let text = ''
  let finish = ''
  for await (const chunk of await front.openai().completions.create({ ...call, stream: true })) {
    text += chunk.choices[0]?.text ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
  }
  assert.ok(text.length > 0 && finish !== '', 'no streamed text, or no end')
  assert.equal((await lastEnding(front)).outcome, 'completed')
  return JSON.stringify(text.slice(0, 40))
}

async function choicesStreamed({ front, server, model, tokens, endless }: Bench): Promise<string> {
  const before = await server.generated()
  const reply = await streamed(front, '/v1/chat/completions', {
    model,
    messages,
    n: 3,
    max_tokens: Math.ceil(tokens / 2),
    logit_bias: endless,
    stream_options: { include_usage: true },
  })
  for (const choice of [0, 1, 2]) assert.ok(textOf(reply.events, choice).text, `choice ${choice} is empty`)
  assert.equal(finishReasons(reply.events).length, 3)
  const generated = (await server.generated()) - before
  const shown = usageOf(reply.events)?.completion_tokens ?? 0
  const charged = (await endingOf(front, reply.requestId)).output_tokens ?? 0
  assert.deepEqual({ shown, charged }, { shown: generated, charged: generated })
  assert.ok(reply.done, 'no [DONE]')
  return `${generated} generated, ${charged} charged`
}

async function choicesWhole({ front, server, model, tokens, endless }: Bench): Promise<string> {
  const before = await server.generated()
  const { data, response } = await front
    .openai()
    .chat.completions.create({
      model,
      messages,
      n: 3,
      max_tokens: Math.ceil(tokens / 2),
      logit_bias: endless,
    })
    .withResponse()
  assert.equal(data.choices.length, 3)
  const generated = (await server.generated()) - before
  const shown = data.usage?.completion_tokens ?? 0
  const charged = (await endingOf(front, response.headers.get('x-request-id'))).output_tokens
  assert.equal(charged, shown)
  assert.ok(shown >= generated, `${generated} generated, only ${shown} charged`)
  return `${generated} generated, ${charged} charged`
}

async function twoPrompts({ front, server, model, tokens, endless }: Bench): Promise<string> {
  const prompt = ['One', 'Two doors and three gates, and a sally port between them']
  const call = { model, prompt, max_tokens: Math.ceil(tokens / 2), logit_bias: endless }
  const before = await server.generated()
  const { data, response } = await front.openai().completions.create(call).withResponse()
  assert.equal(data.choices.length, 2)
  const whole = await endingOf(front, response.headers.get('x-request-id'))
  const between = await server.generated()
  const reply = await streamed(front, '/v1/completions', call)
  assert.equal(reply.status, 200)
  for (const choice of [0, 1]) assert.ok(textOf(reply.events, choice).text, `choice ${choice} is empty`)
  const generated = { whole: between - before, streamed: (await server.generated()) - between }
  const charged = {
    whole: whole.output_tokens,
    streamed: (await endingOf(front, reply.requestId)).output_tokens,
  }
  assert.deepEqual(charged, generated)
  return `${generated.whole} and ${generated.streamed} generated and charged`
}

const measurements = 3

/** For information: how long the first token takes, with and without the gateway. */
async function measureFirstToken({ section, front, server, model }: Bench): Promise<void> {
  const body = { messages, max_tokens: 4 }
  const gateway: number[] = []
  const direct: number[] = []
  for (let i = 0; i < measurements; i++) {
    gateway.push((await streamed(front, '/v1/chat/completions', { model, ...body })).firstTokenMs)
    const alone = await streamedDirect(server, '/v1/chat/completions', { model: server.model, ...body })
    direct.push(alone.firstTokenMs)
  }
  section.firstToken = { gatewayMs: median(gateway), directMs: median(direct) }
}
