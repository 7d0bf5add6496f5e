import t from 'tap'
import type { Action } from '../../src/redaction/finding.ts'
import { createRuleSet, entities } from '../../src/redaction/rule-set.ts'

t.test('the entities are those that profiles name', async (t) => {
  t.strictSame([...entities].sort(), [
    'AWS_ACCESS_KEY',
    'AWS_SECRET_KEY',
    'CREDIT_CARD',
    'EMAIL_ADDRESS',
    'GITHUB_TOKEN',
    'IBAN_CODE',
    'IP_ADDRESS',
    'JSON_WEB_TOKEN',
    'OPENAI_API_KEY',
    'PHONE_NUMBER',
    'PRIVATE_KEY',
    'US_SSN',
  ])
})

t.test('an unknown entity is refused, and the known ones are listed', async (t) => {
  t.throws(
    () => createRuleSet({ name: 'p', direction: 'prompt', actions: { EMAIL: 'mask' }, default: 'allow' }),
    /"p" names unknown entities: EMAIL; known are .*EMAIL_ADDRESS/,
  )
  t.throws(
    () =>
      createRuleSet({
        name: 'p',
        direction: 'prompt',
        actions: { constructor: 'mask' } as Record<string, Action>,
        default: 'allow',
      }),
    /unknown entities: constructor/,
  )
})

t.test('a profile masks, blocks and allows by entity', async (t) => {
  const rules = createRuleSet({
    name: 'p',
    direction: 'prompt',
    actions: { EMAIL_ADDRESS: 'mask', US_SSN: 'block' },
    default: 'allow',
  })
  t.match(rules, { name: 'p', direction: 'prompt', inert: false })
  t.strictSame(rules.screen('ada@example.com 10.0.0.1'), {
    text: '[EMAIL_ADDRESS] 10.0.0.1',
    findings: [{ entity: 'EMAIL_ADDRESS', action: 'mask', start: 0, end: 15 }],
    tallies: [{ entity: 'EMAIL_ADDRESS', action: 'mask', count: 1 }],
    blocked: undefined,
  })
  const blocked = rules.screen('ada@example.com 123-45-6789.')
  t.equal(blocked.text, '')
  t.strictSame(blocked.blocked, { entity: 'US_SSN', action: 'block', start: 16, end: 27 })
  t.strictSame(blocked.findings.at(-1), blocked.blocked)
})

t.test('a profile that allows everything is inert', async (t) => {
  const rules = createRuleSet({ name: 'p', direction: 'reply', actions: {}, default: 'allow' })
  t.equal(rules.inert, true)
  t.equal(rules.heldTextMax, 0)
  const text = 'ada@example.com \ud83d'
  for (const kind of ['text', 'json'] as const) {
    const window = rules.open(kind)
    t.strictSame([window.push(text), window.flush(), window.held], [text, '', 0])
    t.strictSame([window.findings, window.blocked], [[], undefined])
  }
  t.equal(rules.screen(text).text, text)
  t.equal(rules.screenJson('{"a":"\\u0041"}').text, '{"a":"\\u0041"}')
})

t.test('what is held depends on what the profile looks for', async (t) => {
  const only = (entity: string) =>
    createRuleSet({ name: 'p', direction: 'reply', actions: { [entity]: 'mask' }, default: 'allow' })
  t.ok(only('US_SSN').heldTextMax < only('EMAIL_ADDRESS').heldTextMax)
  t.equal(only('US_SSN').open('text').push('hello'), 'hello')
  t.equal(only('EMAIL_ADDRESS').open('text').push('hello'), '')
})
