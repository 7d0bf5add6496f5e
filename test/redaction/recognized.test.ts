import t from 'tap'
import type { Action } from '../../src/redaction/finding.ts'
import { recognizedFindings } from '../../src/redaction/recognized.ts'

const recognizer = 'recognizer-service'
const mask = (): Action => 'mask'
const span = (text: string, part: string, entity = 'PERSON') => {
  const start = text.indexOf(part)
  return { entity, start, end: start + part.length }
}

t.test('spans become findings with the action of their entity', (t) => {
  const text = 'Ada Lovelace lives in London'
  const spans = [span(text, 'Ada Lovelace'), span(text, 'London', 'LOCATION')]
  t.same(
    recognizedFindings(text, spans, (entity) => (entity === 'PERSON' ? 'pseudonymize' : 'shadow')),
    [
      { entity: 'PERSON', recognizer, action: 'pseudonymize', start: 0, end: 12 },
      { entity: 'LOCATION', recognizer, action: 'shadow', start: 22, end: 28 },
    ],
  )
  t.same(
    recognizedFindings(text, spans, () => 'allow'),
    [],
  )
  t.end()
})

t.test('placeholders stay, whatever the service takes them for', (t) => {
  const text = 'Mail Ada [EMAIL_ADDRESS] or [PHONE_NUMBER] Bob now'
  const pieces = (...parts: string[]) =>
    recognizedFindings(
      text,
      parts.map((part) => span(text, part)),
      mask,
    ).map(({ start, end }) => text.slice(start, end))
  t.same(pieces('EMAIL_ADDRESS'), [])
  t.same(pieces('Ada [EMAIL'), ['Ada '])
  t.same(pieces('ADDRESS] or [PHONE'), [' or '])
  t.same(pieces('Ada [EMAIL_ADDRESS] or [PHONE_NUMBER] Bob'), ['Ada ', ' or ', ' Bob'])
  t.same(pieces('Ada', 'EMAIL', 'Bob'), ['Ada', 'Bob'])
  t.same(pieces('] '), [], 'nothing but signs is no finding')
  t.end()
})
