import t from 'tap'
import type { Action } from '../../src/redaction/finding.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'
import { rulesOf } from './rules.ts'

t.test('a match needs the score of the profile, by itself or with a context word', async (t) => {
  const custom: readonly Recognizer[] = [
    {
      id: 'badge',
      entity: 'BADGE',
      category: 'identity',
      tier: 2,
      family: 'shape',
      rules: [{ pattern: 'B\\d{4}', lengthMax: 5, score: 0.3, context: ['badge', '\u5de5\u53f7'] }],
      examples: { match: [], miss: [] },
    },
  ]
  const screen = (text: string, scoreMin?: number): string => {
    const policyOf = ({ entity }: Recognizer): Action => (entity === 'BADGE' ? 'mask' : 'allow')
    const options = { name: 'p', direction: 'prompt', custom, policyOf } as const
    return createRuleSet(scoreMin === undefined ? options : { ...options, scoreMin }).screen(text).text
  }
  t.equal(screen('room B1234'), 'room B1234')
  t.equal(screen('my badge is B1234'), 'my badge is [BADGE]')
  t.equal(screen('badgeNumber: B1234'), 'badgeNumber: [BADGE]')
  t.equal(screen('\u5de5\u53f7\u662fB1234'), '\u5de5\u53f7\u662f[BADGE]')
  t.equal(screen('badger B1234'), 'badger B1234', 'a word counts whole')
  t.equal(
    screen('badge: one two three four five six seven eight nine ten eleven twelve B1234'),
    'badge: one two three four five six seven eight nine ten eleven twelve B1234',
  )
  t.equal(screen('room B1234', 0.3), 'room [BADGE]')
  t.equal(screen('my badge is B1234', 0.8), 'my badge is B1234')
})

t.test('a value of the allow list is no finding', async (t) => {
  const rules = createRuleSet({
    name: 'p',
    direction: 'prompt',
    policyOf: ({ entity }) => (entity === 'EMAIL_ADDRESS' ? 'mask' : 'allow'),
    allowed: new Set(['support@example.com']),
  })
  t.equal(
    rules.screen('Support@Example.com, \uff53upport@example.com, ada@example.com').text,
    'Support@Example.com, \uff53upport@example.com, [EMAIL_ADDRESS]',
  )
})

t.test('what stands in place of a value is for the replacer to say', async (t) => {
  const rules = rulesOf({ actions: { EMAIL_ADDRESS: 'partial' } })
  const replacer = {
    replace: ({ entity, action }: { entity: string; action: Action }, value: string | undefined) =>
      `<${entity} ${action} ${value ?? 'open'}>`,
  }
  t.equal(
    rules.screen('to ada@example.com, key -----BEGIN PRIVATE KEY-----\nMIIE', replacer).text,
    'to <EMAIL_ADDRESS partial ada@example.com>, key <PRIVATE_KEY mask open>',
  )
  t.equal(rules.screenJson('{"a":"ada\\u0040example.com"}', { replace: () => '"\n' }).text, '{"a":"\\"\\n"}')
})

t.test('a profile masks, blocks and allows by entity', async (t) => {
  const rules = rulesOf({
    direction: 'prompt',
    actions: { EMAIL_ADDRESS: 'mask', US_SSN: 'block' },
    default: 'allow',
  })
  t.match(rules, { name: 'test', direction: 'prompt', inert: false })
  t.strictSame(rules.screen('ada@example.com 10.0.0.1'), {
    text: '[EMAIL_ADDRESS] 10.0.0.1',
    findings: [{ entity: 'EMAIL_ADDRESS', recognizer: 'email-address', action: 'mask', start: 0, end: 15 }],
    tallies: [{ entity: 'EMAIL_ADDRESS', action: 'mask', count: 1 }],
    blocked: undefined,
  })
  const blocked = rules.screen('ada@example.com 123-45-6789.')
  t.equal(blocked.text, '')
  t.strictSame(blocked.blocked, {
    entity: 'US_SSN',
    recognizer: 'us-ssn',
    action: 'block',
    start: 16,
    end: 27,
  })
  t.strictSame(blocked.findings.at(-1), blocked.blocked)
})

t.test('a profile that allows everything is inert', async (t) => {
  const rules = rulesOf({ direction: 'reply', actions: {}, default: 'allow' })
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
    rulesOf({ direction: 'reply', actions: { [entity]: 'mask' }, default: 'allow' })
  t.ok(only('US_SSN').heldTextMax < only('EMAIL_ADDRESS').heldTextMax)
  t.equal(only('US_SSN').open('text').push('hello'), 'hello')
  t.equal(only('EMAIL_ADDRESS').open('text').push('hello'), '')
})
