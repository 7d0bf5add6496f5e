import t from 'tap'
import { bech32Kind } from '../../../src/redaction/checksums/bech32.ts'

t.test('the vectors of BIP-173 and BIP-350', async (t) => {
  for (const text of [
    'A12UEL5L',
    'an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs',
    'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
    'split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w',
  ])
    t.equal(bech32Kind(text), 'bech32', text)
  for (const text of [
    'A1LQFN3A',
    'abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx',
    'split1checkupstagehandshakeupstreamerranterredcaperredlc445v',
  ])
    t.equal(bech32Kind(text), 'bech32m', text)
})

t.test('what the proposals call invalid is', async (t) => {
  for (const text of [
    'pzry9x0s0muk',
    '1pzry9x0s0muk',
    'x1b4n0q5v',
    'li1dgmt3',
    'A1G7SGD8',
    '1qzzfhee',
    'a12uel5L',
    '',
  ])
    t.equal(bech32Kind(text), undefined, text)
})

t.test('every single wrong character is found', async (t) => {
  const address = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
  for (let at = 3; at < address.length; at++)
    for (const char of 'qpzry9x8gf2tvdw0s3jn54khce6mua7l')
      if (char !== address[at])
        t.equal(bech32Kind(address.slice(0, at) + char + address.slice(at + 1)), undefined)
})
