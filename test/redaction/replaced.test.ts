import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { encodedFindings } from '../../src/redaction/encoded/encoded-findings.ts'
import type { Action, Finding, Found } from '../../src/redaction/finding.ts'
import { byValue, replaceFindings, withoutValue } from '../../src/redaction/replaced.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'

const rules = createRuleSet({
  name: 'test',
  direction: 'prompt',
  policyOf: ({ tier }) => (tier === 1 ? 'mask' : 'allow'),
})
const scan = (decoded: string): Found => rules.screen(decoded)
const email = 'zaphod@heartofgold.example'
const card = '4111 1111 1111 1111'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

t.test('tokens go first, then the ordinary rules, and each finding keeps its place', (t) => {
  const text = `${base64(email)} and ${email} and ${base64(card)} and ${card}.`
  const tokens = encodedFindings(text, scan)
  const replaced = replaceFindings(text, tokens, withoutValue())
  t.equal(replaced.text, `[EMAIL_ADDRESS] and ${email} and [CREDIT_CARD] and ${card}.`)
  const screening = rules.screen(replaced.text)
  t.equal(screening.text, '[EMAIL_ADDRESS] and [EMAIL_ADDRESS] and [CREDIT_CARD] and [CREDIT_CARD].')
  const places = replaced.placed(screening.findings).map(({ start, end }) => text.slice(start, end))
  t.same(places, [email, card])
  t.end()
})

t.test('JSON stays JSON', (t) => {
  const digits = Buffer.from(card).toString('hex')
  const json = `{"a":["x ${base64(email)}",${digits}],"b":"${digits}"}`
  const found = encodedFindings(json, scan, { kind: 'json' })
  t.same(JSON.parse(replaceFindings(json, found, withoutValue()).text), {
    a: ['x [EMAIL_ADDRESS]', '[CREDIT_CARD]'],
    b: '[CREDIT_CARD]',
  })
  t.end()
})

t.test('a replacer is told what was found, and the value only where it is one', (t) => {
  const given: unknown[] = []
  const replacer = {
    replace: ({ entity, action }: Pick<Finding, 'entity' | 'action'>, value: string | undefined) => {
      given.push([entity, action, value])
      return `<${entity}>`
    },
  }
  const finding = {
    entity: 'CREDIT_CARD',
    recognizer: 'r',
    action: 'pseudonymize',
    start: 2,
    end: 4,
  } as const
  for (const standIn of [withoutValue(replacer), byValue(replacer)])
    t.equal(replaceFindings('abcdef', [finding], standIn).text, 'ab<CREDIT_CARD>ef')
  t.same(given, [
    ['CREDIT_CARD', 'pseudonymize', undefined],
    ['CREDIT_CARD', 'pseudonymize', 'cd'],
  ])
  t.equal(replaceFindings('abcdef', [finding], byValue()).text, 'ab[CREDIT_CARD]ef')
  t.end()
})

t.test('what is only counted, or ends the call, changes nothing', (t) => {
  for (const action of ['shadow', 'allow', 'block'] satisfies Action[]) {
    const findings = [{ entity: 'CREDIT_CARD', recognizer: 'r', action, start: 0, end: 3 }]
    const replaced = replaceFindings('abcdef', findings, withoutValue())
    t.equal(replaced.text, 'abcdef')
    t.same(replaced.placed(findings), findings)
  }
  t.end()
})

t.test('places in what was not replaced lead back to where it stood', (t) => {
  const spans = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 40 })), { maxLength: 6 })
  const property = fc.property(spans, (gaps) => {
    let text = ''
    const findings: Finding[] = []
    const marks: number[] = []
    for (const [gap, length] of gaps) {
      marks.push(text.length)
      text += `${'x'.repeat(gap)}#`
      findings.push({
        entity: 'E',
        recognizer: 'r',
        action: 'mask',
        start: text.length,
        end: text.length + length,
      })
      text += 'y'.repeat(length)
    }
    const replaced = replaceFindings(text, findings, withoutValue())
    const hashes = [...replaced.text.matchAll(/#/g)].map(({ index }) => index)
    const placed = replaced.placed(
      hashes.map((start) => ({ entity: 'E', recognizer: 'r', action: 'mask', start, end: start + 1 })),
    )
    return placed.every(({ start, end }) => text[start] === '#' && end === start + 1)
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})
