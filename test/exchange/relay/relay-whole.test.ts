import t from 'tap'
import { listModels } from '../../../src/exchange/relay/list-models.ts'
import { refuse } from '../../../src/exchange/relay/refuse.ts'
import { relay } from '../../../src/exchange/relay/relay.ts'
import { Refusal } from '../../../src/refusal.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import {
  type answerOf,
  callOf,
  chatEvent,
  DONE,
  FakeClient,
  heldAnswerOf,
  permitOf,
  policy,
  principal,
  redaction,
  refusalOf,
  replacementOf,
  trailOf,
} from '../fake-parts.ts'

const reply = (message: object): string =>
  JSON.stringify({ id: 'x', model: 'm', created: 1, choices: [{ index: 0, message, finish_reason: 'stop' }] })
const stream = { totalTimeoutMs: 1e6, keepAliveCommentMs: 1e6, eventBytesMax: 1_000, replyBytesMax: 1_000 }

async function relayed(body: Parameters<typeof answerOf>[0], profile = 'mask', fields: object = {}) {
  const { trail } = trailOf()
  trail.reservation = { inputTokens: 10, outputTokens: 100 }
  const client = new FakeClient()
  const permit = permitOf(callOf(fields), profile)
  const gateway = { policy, stream, redaction, clock: fakeClock() } as unknown as Parameters<typeof relay>[5]
  const signal = new AbortController().signal
  const outcome = await refusalOf(() =>
    relay(heldAnswerOf(body), { replacement: replacementOf() }, permit, client, trail, gateway, signal),
  )
  return { trail, client, outcome }
}

t.test('a whole reply: rebuilt, masked, with the usage that is charged', async (t) => {
  const text = reply({ content: 'I am bob@example.com' })
  const { trail, client, outcome } = await relayed([text.slice(0, 9), text.slice(9)])
  t.equal(outcome, 'none')
  t.match(JSON.parse(client.text), {
    model: 'demo',
    choices: [{ message: { content: 'I am [EMAIL_ADDRESS]' } }],
    usage: { completion_tokens: 5 },
  })
  t.match(trail, {
    status: 200,
    relayed: { usage: { outputTokens: 5 }, found: { tallies: [{ entity: 'EMAIL_ADDRESS', count: 1 }] } },
  })
  t.match(client.head, { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } })
})

t.test('a blocked reply, and a tool that was not offered, are charged and not sent', async (t) => {
  const blocked = await relayed([reply({ content: 'I am bob@example.com' })], 'block')
  t.equal(blocked.outcome, 'content_blocked EMAIL_ADDRESS')
  const tool = await relayed([
    reply({ tool_calls: [{ id: 'c', type: 'function', function: { name: 'g', arguments: '{}' } }] }),
  ])
  t.match(tool.outcome, 'upstream_protocol')
  for (const { client, trail } of [blocked, tool]) {
    t.equal(client.begun, false)
    t.ok(trail.relayed)
  }
})

t.test('what is not a reply is refused', async (t) => {
  t.equal((await relayed(['{"id":'])).outcome, 'upstream_protocol reply is not JSON')
  t.match((await relayed(['[]'])).outcome, 'upstream_protocol')
  t.match((await relayed([reply({ content: 'x'.repeat(2_000) })])).outcome, 'upstream_reply_too_large')
  t.match((await relayed([JSON.stringify({ error: { message: 'x', code: 500 } })])).outcome, 'upstream_error')
})

t.test('a call for a stream is relayed as one', async (t) => {
  const { client } = await relayed([chatEvent({ content: 'a' }, 'stop') + DONE], 'mask', { stream: true })
  t.ok(client.text.endsWith(DONE))
})

t.test(
  'a refusal before the head is a status, after it an error event and the end, to nobody it is nothing',
  async (t) => {
    const refusal = new Refusal('upstream_timeout', 'inside', { param: 'p' })
    const before = { client: new FakeClient(), ...trailOf() }
    await refuse(refusal, before.client, before.trail, { policy })
    t.match(before.client, { head: { status: 504 }, ended: true })
    t.match(JSON.parse(before.client.text), {
      error: { code: 'upstream_timeout', param: 'p' },
      gateway: { request_id: 'id-1' },
    })
    t.equal(before.trail.status, 504)

    const after = { client: new FakeClient(), ...trailOf() }
    after.client.open({ status: 200, headers: {} })
    after.trail.streamBegan()
    await refuse(refusal, after.client, after.trail, { policy })
    t.match(after.client.text, /^data: \{"error":\{.*\}\n\n$/)
    t.ok(after.client.ended)
    t.equal(after.trail.status, 200, 'what was sent stays true')

    const gone = { client: new FakeClient(), ...trailOf() }
    gone.client.leave()
    await refuse(new Refusal('caller_gone', 'x'), gone.client, gone.trail, { policy })
    t.equal(gone.client.begun, false)
    t.equal(gone.trail.status, 499)

    const deaf = { client: new FakeClient(), ...trailOf() }
    deaf.client.end = async () => Promise.reject(new Error('broken'))
    await refuse(refusal, deaf.client, deaf.trail, { policy })
    t.pass('a refusal that cannot be sent is not a failure')
    t.notMatch(before.client.text + after.client.text, 'inside', 'the detail stays here')
  },
)

t.test('models: the visible ones, one of them, and none that is not visible', async (t) => {
  const list = async (model?: string) => {
    const client = new FakeClient()
    const { trail } = trailOf()
    const destination = model === undefined ? {} : { model }
    const outcome = await refusalOf(() =>
      listModels(principal, destination, client, trail, { policy, startedAtSeconds: 7 }),
    )
    return { outcome, json: client.text === '' ? undefined : JSON.parse(client.text), trail }
  }
  t.match(await list(), {
    json: { object: 'list', data: [{ id: 'demo', created: 7 }] },
    trail: { status: 200 },
  })
  t.match(await list('demo'), { json: { id: 'demo', object: 'model' } })
  for (const model of ['other', 'nowhere', '__proto__'])
    t.equal((await list(model)).outcome, 'model_not_found not visible')
})
