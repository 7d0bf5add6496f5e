// The short stages between the body and the model server: parse, authorize, screen, reserve.
import t from 'tap'
import { authorize } from '../../../src/exchange/inbound/authorize.ts'
import { parseCall } from '../../../src/exchange/inbound/parse-call.ts'
import { reserve } from '../../../src/exchange/inbound/reserve.ts'
import { screenPrompt } from '../../../src/exchange/inbound/screen-prompt.ts'
import { jsonBounds } from '../../../src/openai/strict-json.ts'
import { Quota } from '../../../src/quota/quota.ts'
import { Refusal } from '../../../src/refusal.ts'
import { AnalyzerFault, type AnalyzerFaultReason } from '../../../src/upstream/recognizer/analyzer.ts'
import { fakeClock } from '../../quota/fake-clock.ts'
import { storeInMemory } from '../../quota/store-in-memory.ts'
import { callOf, permitOf, policy, principal, redaction, refusalOf } from '../fake-parts.ts'

const noLimits = { limitsFor: () => [] }

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

const { signal } = new AbortController()
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

t.test('screen: every text of the call, JSON stays JSON, positions and no values', async (t) => {
  const { call, found } = await screenPrompt(permitOf(asking(), 'mask'), { redaction }, signal)
  const text = JSON.stringify(call.fields)
  t.notMatch(text, secret)
  t.match(text, '{\\"to\\":\\"[EMAIL_ADDRESS]\\"}')
  t.match(found.tallies, [{ entity: 'EMAIL_ADDRESS', action: 'mask', count: 3 }])
  t.equal(found.findings.length, 3)
  t.notMatch(JSON.stringify(found.findings), secret)
})

t.test('screen: a block names the place and the entity; a profile that allows touches nothing', async (t) => {
  const blocked = screenPrompt(permitOf(asking(), 'block'), { redaction }, signal)
  const error = await blocked.catch((thrown: unknown) => thrown)
  t.match(error, { code: 'content_blocked', detail: 'EMAIL_ADDRESS', param: 'messages[0].content' })
  const open = await screenPrompt(permitOf(asking(), 'allow'), { redaction }, signal)
  t.match(JSON.stringify(open.call.fields), secret)
  t.same(open.found.tallies, [])
})

/** A recognizer service in memory: calls every Zaphod a person, or fails. */
const simulatedAnalyzer = (reason?: AnalyzerFaultReason) => ({
  asked: 0,
  async analyze(text: string) {
    this.asked++
    if (reason !== undefined) throw new AnalyzerFault(reason)
    const start = text.indexOf('Zaphod')
    return start < 0 ? [] : [{ entity: 'PERSON', start, end: start + 6, score: 1 }]
  },
  close: async () => {},
})

t.test('screen: a recognizer service, for profiles that act on what it finds', async (t) => {
  const screen = async (profile: string, analyzer: ReturnType<typeof simulatedAnalyzer>, texts = 1) => {
    const part = { type: 'text', text: `Zaphod, ${secret}` }
    const messages = Array.from({ length: texts }, () => ({ role: 'user', content: [part, part] }))
    const caring = { ...redaction.rulesFor(profile), recognizedAction: () => 'mask' as const }
    const parts = { redaction: { rulesFor: () => caring }, analyzer }
    const { call } = await screenPrompt(permitOf(callOf({ messages }), profile), parts, signal)
    return JSON.stringify(call.fields)
  }
  t.match(await screen('mask', simulatedAnalyzer()), '[PERSON], [EMAIL_ADDRESS]')
  t.match(await screen('allow', simulatedAnalyzer()), `[PERSON], ${secret}`, 'rules that look for nothing')
  const idle = simulatedAnalyzer()
  await screenPrompt(permitOf(asking(), 'mask'), { redaction, analyzer: idle }, signal)
  t.equal(idle.asked, 0)
  t.match(
    await refusalOf(() => screen('mask', simulatedAnalyzer('timeout'))),
    /^redaction_unavailable .*timeout$/,
  )
  t.match(await refusalOf(() => screen('mask', simulatedAnalyzer('text_too_long'))), /^request_too_large/)
  const busy = simulatedAnalyzer()
  t.match(await refusalOf(() => screen('allow', busy, 1_025)), /^request_too_large more than 2048 texts/)
  t.equal(busy.asked, 2_048)
})

t.test('screen: a long prompt leaves the event loop to others, and ends with its caller', async (t) => {
  const screen = (text: string, signal: AbortSignal) =>
    screenPrompt(
      permitOf(callOf({ messages: [{ role: 'user', content: text }] }), 'mask'),
      { redaction },
      signal,
    )
  let turns = 0
  let under = true
  const turn = (): void => {
    turns++
    if (under) setImmediate(turn)
  }
  setImmediate(turn)
  const { found } = await screen('8.8.8.8 '.repeat(140_000), signal)
  under = false
  t.ok(turns >= 30, `${turns} turns`)
  t.same(found.tallies, [{ entity: 'IP_ADDRESS', action: 'mask', count: 140_000 }])
  t.ok(found.findings.length <= 1000)
  const leaving = new AbortController()
  setImmediate(() => leaving.abort(new Refusal('caller_gone', 'x')))
  t.match(await refusalOf(() => screen('a '.repeat(100_000), leaving.signal)), 'caller_gone')
})

t.test('reserve: the prompt, and the capped output of every choice of every prompt', async (t) => {
  const store = await storeInMemory(fakeClock())
  const reserved = async (fields: object, endpoint?: Parameters<typeof callOf>[1]) => {
    const permit = permitOf(callOf(fields, endpoint), 'mask')
    const admission = new Quota({ store }).enter('e', [])
    return reserve(admission, permit, await screenPrompt(permit, { redaction }, signal), { limits: noLimits })
  }
  t.match(await reserved({ n: 3 }), { outputTokens: 24, outputTokensMax: 8 })
  t.match(await reserved({ n: 2, prompt: ['a', 'b', 'c'] }, 'completions'), { outputTokens: 48 })
  const embedding = await reserved({ input: 'one two three' }, 'embeddings')
  t.equal(embedding.outputTokens, 8, 'as the permit says')
  t.ok(embedding.inputTokens > 0)
})
