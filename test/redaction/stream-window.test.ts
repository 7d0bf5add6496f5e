import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { rulesOf } from './rules.ts'
import { cut, cuts, gluedText, holds } from './texts.ts'

const rules = rulesOf({})

t.test('windows of several channels do not touch each other', async (t) => {
  holds(
    t,
    fc.property(gluedText, gluedText, cuts, cuts, (first, second, firstCuts, secondCuts) => {
      const channels = [rules.open('text'), rules.open('text'), rules.open('json')] as const
      const inputs = [
        cut(first, firstCuts),
        cut(second, secondCuts),
        cut(JSON.stringify(first), secondCuts),
      ] as const
      const outputs = ['', '', '']
      for (let turn = 0; turn < Math.max(...inputs.map(({ length }) => length)); turn++) {
        for (const [index, channel] of channels.entries())
          outputs[index] += channel.push(inputs[index]?.[turn] ?? '')
      }
      for (const [index, channel] of channels.entries()) outputs[index] += channel.flush()
      assert.deepEqual(outputs, [
        rules.screen(first).text,
        rules.screen(second).text,
        rules.screenJson(JSON.stringify(first)).text,
      ])
    }),
    150,
  )
})

t.test('a window that is dropped keeps what it held', async (t) => {
  for (const [text, left] of [
    ['my card: 4111 1111 1111 11', 'my card: '],
    ['write to ada.lovelace@exam', 'write to '],
    ['key ghp_zQWBuTSOoRi4A9spHcVY5', 'key '],
    ['-----BEGIN RSA PRIV', ''],
  ] as const) {
    const window = rules.open('text')
    t.equal(
      text
        .split('')
        .map((char) => window.push(char))
        .join(''),
      left,
    )
    t.equal(window.held, text.length - left.length)
  }
})

t.test('a value that was complete but not yet certain is masked by the flush', async (t) => {
  const window = rules.open('text')
  t.equal(window.push('ssn: 123-45-6789'), 'ssn: ')
  t.strictSame(window.findings, [])
  t.equal(window.flush(), '[US_SSN]')
  t.strictSame(window.findings, [
    { entity: 'US_SSN', recognizer: 'us-ssn', action: 'mask', start: 5, end: 16 },
  ])
  t.equal(window.held, 0)
})

t.test('a flush is an edge, and the window goes on behind it', async (t) => {
  const window = rules.open('text')
  t.equal(
    window.push('10.0.0.') + window.flush() + window.push('1 10.0.0.2 ') + window.flush(),
    '10.0.0.1 [IP_ADDRESS] ',
  )
  t.strictSame(window.findings, [
    { entity: 'IP_ADDRESS', recognizer: 'ip-address', action: 'mask', start: 9, end: 17 },
  ])
})

t.test('empty pushes change nothing', async (t) => {
  const window = rules.open('text')
  const left = ['', 'ada@', '', 'example.com', '', ' x', ''].map((chunk) => window.push(chunk)).join('')
  t.equal(left + window.flush(), '[EMAIL_ADDRESS] x')
})
