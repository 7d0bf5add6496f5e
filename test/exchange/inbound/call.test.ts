// The short stages between the body and the model server: parse, authorize, screen, reserve.
import t from 'tap'
import { authorize } from '../../../src/exchange/inbound/authorize.ts'
import { parseCall } from '../../../src/exchange/inbound/parse-call.ts'
import { reserve } from '../../../src/exchange/inbound/reserve.ts'
import { screenPrompt } from '../../../src/exchange/inbound/screen-prompt.ts'
import { jsonBounds } from '../../../src/openai/strict-json.ts'
import { memoryQuota } from '../../../src/quota/memory-quota.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { callOf, permitOf, policy, principal, redaction, refusalOf } from '../fake-parts.ts'

const body = (fields: object): Buffer =>
  Buffer.from(JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'hi' }], ...fields }))

t.test(
  'parse: the policy says what an unknown field means, the configuration how large JSON may be',
  async (t) => {
    const parse = (unknownFields: 'refuse' | 'drop', json = jsonBounds) =>
      parseCall('chat.completions', body({ frob: 1 }), { policy: { unknownFields }, bounds: { json } })
    t.match(await refusalOf(() => parse('refuse')), 'unknown_parameter')
    t.same(parse('drop').dropped, ['frob'])
    t.match(await refusalOf(() => parse('drop', { ...jsonBounds, keysMax: 2 })), 'json_too_complex')
  },
)

t.test(
  'authorize: the permit names the model, the cap and the roles; another model is not found',
  async (t) => {
    const permit = authorize(principal, callOf(), { policy })
    t.match(permit, { model: 'demo', outputTokensMax: 8, redactionProfile: 'mask', roles: ['app'] })
    for (const model of ['other', 'nowhere']) {
      t.match(await refusalOf(() => authorize(principal, callOf({ model }), { policy })), 'model_not_found')
    }
    t.match(await refusalOf(() => authorize(principal, callOf({ n: 5 }), { policy })), 'parameter_above_cap')
  },
)

const secret = 'bob@example.com'
const asking = () =>
  callOf({
    messages: [
      { role: 'system', content: `for ${secret}` },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: `{"to":"${secret}"}` } }],
      },
      { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: secret }] },
    ],
  })

t.test('screen: every text of the call, JSON stays JSON, positions and no values', (t) => {
  const { call, findings } = screenPrompt(permitOf(asking(), 'mask'), { redaction })
  const text = JSON.stringify(call.fields)
  t.notMatch(text, secret)
  t.match(text, '{\\"to\\":\\"[EMAIL_ADDRESS]\\"}')
  t.equal(findings.length, 3)
  t.notMatch(JSON.stringify(findings), secret)
  t.end()
})

t.test('screen: a block names the place and the entity; a profile that allows touches nothing', async (t) => {
  const error = (() => {
    try {
      return screenPrompt(permitOf(asking(), 'block'), { redaction })
    } catch (thrown) {
      return thrown
    }
  })()
  t.match(error, { code: 'content_blocked', detail: 'EMAIL_ADDRESS', param: 'messages[0].content' })
  const open = screenPrompt(permitOf(asking(), 'allow'), { redaction })
  t.match(JSON.stringify(open.call.fields), secret)
  t.same(open.findings, [])
})

t.test('reserve: the prompt, and the capped output of every choice of every prompt', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  const reserved = (fields: object, endpoint?: Parameters<typeof callOf>[1]) => {
    const permit = permitOf(callOf(fields, endpoint), 'mask')
    return reserve('e', permit, screenPrompt(permit, { redaction }), { policy, quota })
  }
  t.match(await reserved({ n: 3 }), { outputTokens: 24 })
  t.match(await reserved({ n: 2, prompt: ['a', 'b', 'c'] }, 'completions'), { outputTokens: 48 })
  const embedding = await reserved({ input: 'one two three' }, 'embeddings')
  t.equal(embedding.outputTokens, 0)
  t.ok(embedding.inputTokens > 0)
})
