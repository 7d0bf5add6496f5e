// What an exchange costs: the model server's own count where it can be believed, ours where not, the same in the
// audit record, the metrics and what the caller is shown.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { eventsOf, Scene, samplesOf } from '../support/scene.ts'

const scene = await Scene.open()
t.teardown(() => scene.stack.stop())

const pieces = ['one ', 'two ', 'three ', 'four']
/** The body before that of the good call which follows each ending. */
const lastBody = () => JSON.parse(scene.stack.model.requests.at(-2)?.body ?? '{}')

interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

async function spent(script: Script, fields: Record<string, unknown> = {}) {
  let shown: Usage | undefined
  const ending = await scene.ending(script, async () => {
    const stream = fields['stream'] === true
    const asking = stream ? { stream_options: { include_usage: true } } : {}
    const reply = await scene.chat({ ...fields, ...asking })
    const text = await reply.text()
    shown = stream
      ? (eventsOf(text).at(-1) as { usage: Usage }).usage
      : (JSON.parse(text) as { usage: Usage }).usage
  })
  const { input_tokens: input, output_tokens: output, usage_reported: reported } = ending.record
  return { shown, input, output, reported, record: ending.record, line: ending.line }
}

/** The reported usage, and what is charged for the four pieces of output. */
const reports: Record<string, [Script['usage'], number]> = {
  'a true report': [{ prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 }, 4],
  'a larger report, within what was reserved': [
    { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 },
    9,
  ],
  'none at all': [null, 5],
  'fewer than were seen': [{ prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 }, 4],
  'less than nothing': [{ prompt_tokens: -7, completion_tokens: -4, total_tokens: -11 }, 5],
  'a number that is none': [{ prompt_tokens: 7, completion_tokens: 1e30, total_tokens: 1e30 }, 5],
  'more than was reserved': [{ prompt_tokens: 7, completion_tokens: 100_000, total_tokens: 100_007 }, 64],
  text: [{ prompt_tokens: '7', completion_tokens: '4', total_tokens: '11' }, 5],
  'a list': [{ prompt_tokens: [7], completion_tokens: [4] }, 5],
}

for (const [name, [usage, output]] of Object.entries(reports)) {
  t.test(`${name}, streamed`, async (t) => {
    const script = { content: pieces, ...(usage === undefined ? {} : { usage }) }
    const stream = await spent(script, { stream: true })
    t.equal(stream.output, output)
    t.equal(stream.shown?.completion_tokens, output, 'the caller is shown what it is charged')
    t.equal(stream.shown?.prompt_tokens, stream.input)
    t.equal(stream.shown?.total_tokens, Number(stream.input) + output)
    t.equal(stream.line['output_tokens'], output)
    t.ok(Number.isSafeInteger(stream.input) && Number(stream.input) > 0)
  })
}

t.test('a whole reply, with a report and without', async (t) => {
  const good = await spent({
    content: pieces,
    usage: { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 },
  })
  t.match(good, { input: 7, output: 4, reported: true })
  t.match(good.shown, { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 })
  const none = await spent({ content: pieces, usage: null })
  t.match(none, { output: 5, reported: false })
  t.equal(none.shown?.completion_tokens, 5)
})

t.test('a report for each of several choices counts in sum', async (t) => {
  const event = (body: object): string => `data: ${JSON.stringify({ id: 'x', created: 1, ...body })}\n\n`
  const text = (index: number, content: string, finish: string | null) =>
    event({ choices: [{ index, delta: { content }, finish_reason: finish }] })
  const usage = event({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } })
  const body = [0, 1, 2].flatMap((index) => [text(index, 'a', null), text(index, 'b', 'stop')])
  const script = {
    contentType: 'text/event-stream',
    body: [...body, usage, usage, usage, 'data: [DONE]\n\n'],
  }
  t.equal((await spent(script, { stream: true, n: 3 })).output, 15)
})

t.test('the output bound is always sent, and never above what the policy allows', async (t) => {
  await spent({ content: ['x'] }, { max_tokens: undefined })
  t.equal(lastBody().max_tokens, 256, 'the cap of the role, where the caller names none')
  await spent({ content: ['x'] }, { max_tokens: undefined, max_completion_tokens: 9 })
  t.match(lastBody(), { max_tokens: 9 })
  t.equal(lastBody().max_completion_tokens, undefined)
  const over = await scene.chat({ max_tokens: 257 })
  t.equal(over.status, 400)
  t.match(await over.json(), { error: { code: 'parameter_above_cap', param: 'max_tokens' } })
  const both = await scene.chat({ max_tokens: 1, max_completion_tokens: 10_000 })
  t.equal(both.status, 400, 'the larger of two bounds is the one that counts')
  await both.text()
})

t.test('what is set aside covers every choice, and metrics count what was settled', async (t) => {
  const before = samplesOf(await scene.stack.metrics())
  await spent(
    { choices: [{ content: ['a'] }, { content: ['b'] }, { content: ['c'] }] },
    { n: 3, max_tokens: 10 },
  )
  const admitted = scene.stack.audit().filter(({ event }) => event === 'exchange.admitted')
  t.match(admitted.at(-2), { reserved_output: 30, choices: 3 })
  const after = samplesOf(await scene.stack.metrics())
  const grown = [...after].filter(
    ([name]) => name.startsWith('gen_ai_client_token_usage_sum') && name.includes('output'),
  )
  t.equal(grown.length, 1)
  const [name, value] = grown[0] as [string, number]
  // Three tokens here, and the two of the good call that follows each ending.
  t.equal(value - (before.get(name) ?? 0), 5)
})

t.test('embeddings cost their input alone', async (t) => {
  let usage: unknown
  const ending = await scene.ending(undefined, async () => {
    const reply = await scene.stack.post('/v1/embeddings', { model: 'demo', input: ['one two', 'three'] })
    usage = ((await reply.json()) as { usage: unknown }).usage
  })
  t.match(ending.record, { input_tokens: 3, output_tokens: 0 })
  t.same(usage, { prompt_tokens: 3, total_tokens: 3 })
})
