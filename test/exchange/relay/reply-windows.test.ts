import t from 'tap'
import { ReplyWindows } from '../../../src/exchange/relay/reply-windows.ts'
import type { JsonObject } from '../../../src/openai/call.ts'
import { replacementOf, ruleSet } from '../fake-parts.ts'

const replacement = replacementOf()
const token = replacement.prompt.replace(
  { entity: 'EMAIL_ADDRESS', action: 'pseudonymize' },
  'bob@example.com',
)
const windows = (action: 'allow' | 'mask' = 'mask') =>
  new ReplyWindows({
    rules: ruleSet(action),
    replacement,
    restores: (place) => place === 'reply' || place.tool === 'send_mail',
  })
const through = (opened: ReplyWindows, choice: number, channel: string): string => {
  const window = opened.open({ choice, channel, kind: 'text' })
  return window.push(`${token} ann@example.com`) + window.flush()
}
const event = (index: number, delta: JsonObject): JsonObject => ({ choices: [{ index, delta }] })

t.test('what the caller reads comes back, whatever the channel', (t) => {
  for (const channel of ['content', 'reasoning', 'refusal', 'annotations[0].url'])
    t.equal(through(windows(), 0, channel), 'bob@example.com [EMAIL_ADDRESS]', channel)
  t.equal(through(windows('allow'), 0, 'content'), 'bob@example.com ann@example.com')
  t.end()
})

t.test('what a tool reads comes back by the name of the tool, for each choice on its own', (t) => {
  const opened = windows()
  opened.note(event(0, { tool_calls: [{ index: 0, function: { name: 'send_mail' } }] }))
  opened.note(event(1, { tool_calls: [{ index: 0, function: { name: 'look_up' } }] }))
  opened.note(event(0, { tool_calls: [{ index: 0, function: { arguments: '{' } }] }))
  opened.note(event(2, { function_call: { name: 'send_mail' } }))
  opened.note({ choices: [{ index: 3, message: { tool_calls: [{}, { custom: { name: 'send_mail' } }] } }] })
  const restored = 'bob@example.com [EMAIL_ADDRESS]'
  const kept = `${token} [EMAIL_ADDRESS]`
  t.equal(through(opened, 0, 'tool_calls[0].arguments'), restored)
  t.equal(through(opened, 1, 'tool_calls[0].arguments'), kept)
  t.equal(through(opened, 2, 'function_call.arguments'), restored)
  t.equal(through(opened, 3, 'tool_calls[1].input'), restored)
  t.equal(through(opened, 3, 'tool_calls[0].input'), kept, 'a call without a name')
  t.end()
})

t.test('nothing is done where there is nothing to do', (t) => {
  const none = { rules: ruleSet('allow'), replacement: replacementOf(), restores: () => true }
  t.equal(new ReplyWindows(none).inert, true)
  t.equal(windows('allow').inert, false)
  t.equal(windows().inert, false)
  t.end()
})
