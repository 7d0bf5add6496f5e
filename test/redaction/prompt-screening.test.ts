import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Action, RuleSet, Screening } from '../../src/redaction/finding.ts'
import {
  onlyProven,
  type PromptScreens,
  type PromptText,
  type Screen,
  screenPromptText,
  screenSeams,
} from '../../src/redaction/prompt-screening.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'

const ruleSet = (actions: Record<string, Action> = {}): RuleSet =>
  createRuleSet({
    name: 'test',
    direction: 'prompt',
    policyOf: ({ entity, tier }) => actions[entity] ?? (tier === 1 ? 'mask' : 'allow'),
  })
const screenBy =
  (rules: RuleSet): Screen =>
  async ({ kind, text }): Promise<Screening> =>
    kind === 'json' ? rules.screenJson(text) : rules.screen(text)
const screensOf = (actions: Record<string, Action> = {}): PromptScreens => {
  const screen = screenBy(ruleSet(actions))
  return { ordinary: screen, proven: screen }
}

const { signal } = new AbortController()
const email = 'zaphod@heartofgold.example'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A service that knows one name and remembers what it was asked. */
function simulatedService(name: string) {
  const asked: string[] = []
  return {
    asked,
    analyze: async (text: string) => {
      asked.push(text)
      const start = text.indexOf(name)
      return start === -1 ? [] : [{ entity: 'PERSON', start, end: start + name.length }]
    },
  }
}

t.test('tokens, then the rules, then the service, which sees neither', async (t) => {
  const service = simulatedService('Ada')
  const screens = { ...screensOf(), recognizer: { service, actionOf: (): Action => 'mask' } }
  const text = `Ada: ${email}, ${base64(email)}`
  const screening = await screenPromptText({ kind: 'text', text }, screens, signal)
  t.equal(screening.text, '[PERSON]: [EMAIL_ADDRESS], [EMAIL_ADDRESS]')
  t.same(service.asked, ['Ada: [EMAIL_ADDRESS], [EMAIL_ADDRESS]'])
  t.same(screening.tallies, [
    { entity: 'EMAIL_ADDRESS', action: 'mask', count: 2 },
    { entity: 'PERSON', action: 'mask', count: 1 },
  ])
  const lengths = screening.findings.map(({ start, end }) => text.slice(start, end))
  t.same(lengths.slice(0, 2), [base64(email), email])
})

t.test('JSON stays JSON and is not shown to a service', async (t) => {
  const service = simulatedService('Ada')
  const screens = { ...screensOf(), recognizer: { service, actionOf: (): Action => 'mask' } }
  const text = JSON.stringify({ to: 'Ada', b: base64(email), c: email })
  const screening = await screenPromptText({ kind: 'json', text }, screens, signal)
  t.same(JSON.parse(screening.text), { to: 'Ada', b: '[EMAIL_ADDRESS]', c: '[EMAIL_ADDRESS]' })
  t.same(service.asked, [])
})

t.test('whichever step finds what is blocked, nothing of the text goes on', async (t) => {
  const service = simulatedService('Ada')
  const recognizer = { service, actionOf: (): Action => 'block' }
  const screens = { ...screensOf({ EMAIL_ADDRESS: 'block' }), recognizer }
  for (const [text, entity] of [
    [base64(email), 'EMAIL_ADDRESS'],
    [email, 'EMAIL_ADDRESS'],
    ['Ada', 'PERSON'],
  ] as const) {
    const screening = await screenPromptText({ kind: 'text', text }, screens, signal)
    t.match(screening, { text: '', blocked: { entity, action: 'block' } })
    t.match(screening.tallies, [{ entity, count: 1 }])
  }
  t.same(service.asked, ['Ada'])
})

t.test('a service that fails ends it', async (t) => {
  const service = { analyze: () => Promise.reject(new Error('unreachable')) }
  const screens = { ...screensOf(), recognizer: { service, actionOf: (): Action => 'mask' } }
  await t.rejects(screenPromptText({ kind: 'text', text: 'x' }, screens, signal), /unreachable/)
})

class Slot implements PromptText {
  readonly path: string
  readonly kind: 'text' | 'json'
  text: string

  constructor(path: string, text: string, kind: 'text' | 'json' = 'text') {
    this.path = path
    this.text = text
    this.kind = kind
  }

  replace(text: string): void {
    this.text = text
  }
}

t.test('values over the seams of messages', async (t) => {
  const slots = [
    new Slot('messages[0].content', 'It is 536-90'),
    new Slot('messages[1].content[0].text', '-4399, and 4111 1111'),
    new Slot('messages[1].content[1].text', '1111 1111.'),
  ]
  const screening = await screenSeams(slots, screensOf())
  t.same(
    slots.map(({ text }) => text),
    ['It is [US_SSN]', '[US_SSN], and [CREDIT_CARD]', '[CREDIT_CARD].'],
  )
  t.equal(screening.blocked, undefined)
  t.same(
    screening.texts.map(({ path, found }) => [
      path,
      found.tallies.map(({ entity, count }) => [entity, count]),
    ]),
    [
      ['messages[0].content', [['US_SSN', 1]]],
      [
        'messages[1].content[0].text',
        [
          ['US_SSN', 1],
          ['CREDIT_CARD', 1],
        ],
      ],
      ['messages[1].content[1].text', [['CREDIT_CARD', 1]]],
    ],
  )
})

t.test('no seam is where nothing is read in a row', async (t) => {
  const apart = [
    ['input[0]', 'input[1]'],
    ['prompt[0]', 'prompt[1]'],
    ['messages[0].content', 'tools[0].function.description'],
  ]
  for (const [one, two] of apart as [string, string][]) {
    const slots = [new Slot(one, '536-90'), new Slot(two, '-4399')]
    t.same((await screenSeams(slots, screensOf())).texts, [])
  }
  const call = [
    new Slot('messages[0].content', '536-90'),
    new Slot('messages[1].tool_calls[0].function.arguments', '"-4399"', 'json'),
  ]
  t.same((await screenSeams(call, screensOf())).texts, [])
})

t.test('a value over a seam that is blocked names the first of its texts', async (t) => {
  const slots = [new Slot('messages[0].content', '536-90'), new Slot('messages[1].content', '-4399')]
  const { blocked } = await screenSeams(slots, screensOf({ US_SSN: 'block' }))
  t.same(blocked, { entity: 'US_SSN', path: 'messages[0].content' })
})

t.test('what only looks like a value does not count where there is no context', (t) => {
  const rules = createRuleSet({ name: 'test', direction: 'prompt', policyOf: () => 'mask' })
  const screening = rules.screen(`Mr. John Smith, ${email}`)
  t.ok(screening.findings.length > 1)
  t.match(onlyProven(screening), { tallies: [{ entity: 'EMAIL_ADDRESS', count: 1 }] })
  const denied = {
    entity: 'DENY_LIST',
    recognizer: 'denied-standard-0',
    action: 'block',
    start: 0,
    end: 4,
  } as const
  const listed = onlyProven({ text: 'text', findings: [denied], tallies: [], blocked: denied })
  t.match(listed, { findings: [denied], tallies: [{ entity: 'DENY_LIST', count: 1 }], blocked: denied })
  const blocking = createRuleSet({ name: 'test', direction: 'prompt', policyOf: () => 'block' })
  const stopped = blocking.screen(`Mr. John Smith, ${email}`)
  t.same(onlyProven(stopped).blocked, stopped.blocked, 'behind it nothing was looked at')
  t.end()
})
