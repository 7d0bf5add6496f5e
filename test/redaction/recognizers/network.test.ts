import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import {
  ipAddress,
  ipAddressSpecial,
  ipv6Address,
} from '../../../src/redaction/recognizers/network/ip-address.ts'
import { isIpv6, isSpecialIpv6 } from '../../../src/redaction/recognizers/network/ipv6.ts'
import { macAddress } from '../../../src/redaction/recognizers/network/mac-address.ts'
import { createOracle } from '../oracle.ts'

const mask = createOracle([ipAddress, ipv6Address])
const maskAll = createOracle([ipAddress, ipv6Address, ipAddressSpecial])
const maskMacs = createOracle([macAddress])

t.test('what is taken for an IPv6 address is one for Node.js as well', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), fc.stringMatching(/^[0-9a-f:]{2,30}$/)), (value) => {
      if (isIpv6(value)) t.equal(isIPv6(value), true, value)
    }),
    { numRuns: 500 },
  )
})

t.test('an address that is long enough to tell is masked whole', async (t) => {
  const group = fc.integer({ min: 0x100, max: 0xffff }).map((value) => value.toString(16))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(5), (groups, at) => {
      const full = groups.join(':')
      const short = `2001:${groups.slice(0, at).join(':')}::${groups.slice(at + 2, 7).join(':')}`.replace(
        ':::',
        '::',
      )
      t.equal(mask(`at ${full}, now`).text, 'at [IP_ADDRESS], now')
      t.equal(isIpv6(short), true, short)
      t.equal(mask(`at ${short}/64.`).text, 'at [IP_ADDRESS].', short)
    }),
    { numRuns: 50 },
  )
})

t.test(
  'every IPv4 address that names a machine is masked, also after a colon and before a port',
  async (t) => {
    fc.assert(
      fc.property(
        fc.ipV4().filter((value) => !/^(?:0|127|255|\d\.0\.0\.0)/.test(value)),
        (value) => {
          t.equal(mask(`host:${value}:80`).text, 'host:[IP_ADDRESS]:80')
          t.equal(mask(`version ${value}`).text, `version ${value}`)
        },
      ),
      { numRuns: 50 },
    )
  },
)

t.test('parts of programs, versions and times pass', async (t) => {
  for (const text of [
    'std::vector<a::b> c::d1',
    'x[::2], x[1::2], x[0, 1::2]',
    'at 12:30:45 or 12:30:45.123',
    'sha 16:27:ac:a5:76:28:2d:36:63:1b:56:4d',
    'Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36',
    'mask 255.255.255.0 on 127.0.0.1 and 0.0.0.0/0',
    '1.2.3.4.5 and 10.0.19041.3',
    'fe80::1text 2001::25de::cade :::',
  ])
    t.equal(mask(text).text, text)
})

t.test(
  'addresses that name no machine are masked where a word says so, or by those who ask for it',
  async (t) => {
    t.equal(mask('the IP 127.0.0.1').text, 'the IP [IP_ADDRESS]')
    t.equal(mask('ipv6: ::1').text, 'ipv6: [IP_ADDRESS]')
    t.equal(
      maskAll('allow 0.0.0.0/0 and ::/0 to [::]:80').text,
      'allow [IP_ADDRESS] and [IP_ADDRESS] to [[IP_ADDRESS]]:80',
    )
    t.equal(maskAll('x[::2] std::a').text, 'x[::2] std::a')
    t.equal(isSpecialIpv6('::1'), true)
    t.equal(isSpecialIpv6('fe80::1'), false)
  },
)

t.test('hardware addresses in the three ways to write them', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      const hex = Buffer.from(bytes).toString('hex')
      const pairs = hex.match(/../g) ?? []
      const plain = hex === hex.charAt(0).repeat(12)
      t.equal(maskMacs(`if ${pairs.join(':')}.`).text, plain ? `if ${pairs.join(':')}.` : 'if [MAC_ADDRESS].')
      if (!plain) t.equal(maskMacs(`mac ${pairs.join('-').toUpperCase()}.`).text, 'mac [MAC_ADDRESS].')
    }),
    { numRuns: 50 },
  )
  t.equal(maskMacs('mac 0012.3456.789a').text, 'mac [MAC_ADDRESS]')
  t.equal(maskMacs('on 01-02-03-04-05-06').text, 'on 01-02-03-04-05-06')
})
