import { randomBytes } from 'node:crypto'
import t from 'tap'
import { looksRandom, surprisal } from '../../src/redaction/rarity.ts'

const bits = (text: string): number => surprisal(text, 0, text.length)

t.test('words and identifiers surprise less than random characters', async (t) => {
  const words = [
    'authentication',
    'getUserCredentials',
    'MAX_RETRY_ATTEMPTS',
    'HTMLElementCollection',
    'database-connection-pool',
    'internationalization',
  ]
  for (const word of words) t.ok(bits(word) < 4.6, `${word} ${bits(word)}`)
  for (let sample = 0; sample < 200; sample++) {
    t.ok(bits(randomBytes(24).toString('base64url')) > 4.7)
    t.ok(bits(randomBytes(20).toString('hex')) > 3.9)
  }
})

t.test('the surprise of a part is that of the part alone', async (t) => {
  t.equal(surprisal('xx authToken yy', 3, 12), bits('authToken'))
  t.equal(surprisal('', 0, 0), 0)
})

t.test('a token looks random with a digit or in both cases', async (t) => {
  t.equal(looksRandom('xxxx', 0, 4), false)
  t.equal(looksRandom('YOUR_KEY', 0, 8), false)
  t.equal(looksRandom('aB', 0, 2), true)
  t.equal(looksRandom('a1', 0, 2), true)
})
