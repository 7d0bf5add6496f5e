import t from 'tap'
import { FoundList, findingsKeptMax } from '../../src/redaction/found.ts'
import { rulesOf } from './rules.ts'

const rules = rulesOf({ direction: 'reply', actions: { US_SSN: 'block' }, default: 'mask' })

t.test('places are kept up to a bound, counts are exact', async (t) => {
  const { findings, tallies } = rules.screen('8.8.8.8 ada@example.com '.repeat(1000))
  t.equal(findings.length, findingsKeptMax)
  t.same(findings[1], {
    entity: 'EMAIL_ADDRESS',
    recognizer: 'email-address',
    action: 'mask',
    start: 8,
    end: 23,
  })
  t.same(tallies, [
    { entity: 'IP_ADDRESS', action: 'mask', count: 1000 },
    { entity: 'EMAIL_ADDRESS', action: 'mask', count: 1000 },
  ])
})

t.test('a tail that grows beyond the bound moves no place that was kept', async (t) => {
  const token = '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'
  const text = `${'8.8.8.8 '.repeat(findingsKeptMax)}${token.repeat(20)}`
  const { findings, tallies } = rules.screen(text)
  t.same(findings.at(-1)?.end, findingsKeptMax * 8 - 1)
  t.match(tallies, [{ count: findingsKeptMax }, { entity: 'GITHUB_TOKEN', count: 1 }])
})

t.test('lists are joined by count, with the places of the first', async (t) => {
  const found = new FoundList()
  for (let text = 0; text < 3; text++) found.addAll(rules.screen('8.8.8.8 '.repeat(200)))
  found.addAll(rules.screen('123-45-6789 '))
  t.equal(found.findings.length, findingsKeptMax)
  t.same(found.tallies, [
    { entity: 'IP_ADDRESS', action: 'mask', count: 600 },
    { entity: 'US_SSN', action: 'block', count: 1 },
  ])
})
