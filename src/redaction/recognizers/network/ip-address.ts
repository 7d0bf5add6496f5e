import { hasCue } from '../../cue.ts'
import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { digits, ofWholeText } from '../shapes.ts'
import { isIpv6, isSpecialIpv6 } from './ipv6.ts'

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = `${octet}\\.${octet}\\.${octet}\\.${octet}`
const prefix4 = '(/(3[0-2]|[12]?\\d))?'
const zone = '(%[A-Za-z0-9_.\\-]{1,16})?'
const prefix6 = '(/(12[0-8]|1[01]\\d|[1-9]?\\d))?'

/** Four numbers after one of these are a version or a heading. */
const numbering =
  /(?:version|(?<![A-Za-z])(?:ver|release|build|firmware|section|chapter|clause|figure|rev|v)|\u00a7)[\s.:=#"'(v]*$/i

/** `Chrome/120.0.0.0`: a product of a User-Agent. A host before the slash is not written so. */
const product = /(?:^|[^A-Za-z0-9./-])[A-Z][A-Za-z_-]*\/$/

const cues = new Set('ip ips ipv address addr host localhost server gateway from dns subnet cidr'.split(' '))

const leftOf = (text: string, start: number, units: number): string =>
  text.slice(Math.max(0, start - units), start)

const isNumbering = (text: string, start: number): boolean =>
  numbering.test(leftOf(text, start, 20)) ||
  (text[start - 1] === '/' && product.test(leftOf(text, start, 40)))

/** Unspecified, loopback, netmasks and `1.0.0.0` name no machine, and programs are full of them. */
function isSpecialIpv4(value: string): boolean {
  const [first = 0, second, third, fourth] = value.split(/[./]/).map(Number)
  if (first === 0 || first === 127 || first === 255) return true
  return first < 10 && second === 0 && third === 0 && fourth === 0
}

const said: Validator = (text, start) => hasCue(text, start, { cues, count: 3 })

/** What names no machine in a program is an address all the same where a word says so. */
const isIpv4: Validator = (text, start, end) =>
  !isNumbering(text, start) && (!isSpecialIpv4(text.slice(start, end)) || said(text, start, end))

const isAddress6: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  return isIpv6(value) && (!isSpecialIpv6(value) || said(text, start, end))
}

/** A colon before an address ends a label (`ip:fe80::1`), unless groups stand before it. */
const beginsAddress: Guard = (text, start) =>
  !/(?:^|[^0-9A-Za-z])[0-9A-Fa-f]{0,4}:$/.test(leftOf(text, start, 6))

const rule4: Rule = {
  pattern: `${ipv4}${prefix4}`,
  left: { not: 'A-Za-z0-9_', notPair: { near: '.', far: digits } },
  right: { not: 'A-Za-z0-9_', notPair: { near: '.', far: digits } },
  lengthMax: 18,
  validate: isIpv4,
}

const isReserved4: Validator = (text, start, end) => /^(?:127|0|255)\./.test(text.slice(start, end))

const rule6: Rule = {
  pattern: `([0-9A-Fa-f]{1,4}:|::)[0-9A-Fa-f:]{0,38}(${ipv4})?${zone}${prefix6}`,
  left: { not: 'A-Za-z0-9_.' },
  right: { not: 'A-Za-z0-9_', notPair: { near: ':.', far: '0-9A-Fa-f:' } },
  lengthMax: 80,
  guard: beginsAddress,
  validate: isAddress6,
}

export const ipAddress: Recognizer = {
  id: 'ip-address',
  entity: 'IP_ADDRESS',
  category: 'network',
  tier: 1,
  family: 'digits',
  rules: [rule4, ofWholeText({ ...rule4, validate: isReserved4 })],
  examples: {
    match: [
      '10.0.0.1',
      '192.168.1.254',
      '8.8.8.8',
      '203.0.113.195',
      '169.254.169.254',
      '10.0.0.0/8',
      { before: 'the server ', value: '10.1.2.3' },
      { before: 'driver: ', value: '10.1.2.3' },
      { before: 'IP address: ', value: '127.0.0.1' },
    ],
    miss: [
      '1.2.3.4.5',
      '10.0.19041.3',
      '256.1.1.1',
      'on 127.0.0.1',
      'bind 0.0.0.0',
      'mask 255.255.255.0',
      '1.0.0.0',
      '01.2.3.4',
      'v1.2.3.4',
      'version 1.2.3.4',
      'appVersion=1.2.3.4',
      'ver. 1.2.3.4',
      'Version: "1.2.3.4"',
      'Chrome/120.0.0.0 Safari',
      'System.Core 4.0.0.0',
      '1.2.3',
    ],
  },
}

/** `l[::2]` and `a[0, ::2]` are slices; `[::1]:80` is a host. */
const isNoSlice: Guard = (text, start) => !/(?:[\w)\]]\[|,\s?)$/.test(leftOf(text, start, 3))

/** `::` alone is an address in brackets (`[::]:80`), or as a whole value. */
const isSpecial6: Validator = (text, start, end) =>
  isIpv6(text.slice(start, end)) &&
  (/\d/.test(text.slice(start, end)) || start === 0 || text[start - 1] === '[')

/** Addresses that name no machine, for those who want every address gone: programs and their manuals are full of them. */
export const ipAddressSpecial: Recognizer = {
  id: 'ip-address-special',
  entity: 'IP_ADDRESS',
  category: 'network',
  tier: 3,
  family: 'digits',
  rules: [
    { ...rule4, validate: (text, start) => !isNumbering(text, start) },
    {
      pattern: `[0-9A-Fa-f]{0,4}::[0-9A-Fa-f]{0,4}${zone}${prefix6}`,
      left: { not: 'A-Za-z0-9_.:' },
      right: { not: 'A-Za-z0-9_:', notPair: { near: ':.', far: '0-9A-Fa-f:' } },
      lengthMax: 32,
      guard: isNoSlice,
      validate: isSpecial6,
    },
  ],
  examples: {
    match: ['127.0.0.1', '0.0.0.0/0', '255.255.255.0', '::1', '::/0', '::1%lo'],
    miss: ['version 1.0.0.0', 'std::vector', 'l[::1]', 'a::b', '1.2.3'],
  },
}

export const ipv6Address: Recognizer = {
  id: 'ipv6-address',
  entity: 'IP_ADDRESS',
  category: 'network',
  tier: 1,
  family: 'shape',
  rules: [
    rule6,
    ofWholeText({
      pattern: `[0-9A-Fa-f]{0,4}::[0-9A-Fa-f]{0,4}${zone}${prefix6}`,
      lengthMax: 32,
      validate: (text, start, end) => isIpv6(text.slice(start, end)),
    }),
  ],
  examples: {
    match: [
      '2001:0db8:0000:0000:0000:ff00:0042:8329',
      '2001:db8::ff00:42:8329',
      'fe80::1%eth0',
      'fe80::1%eth0/64',
      '2001:db8::/32',
      '::ffff:192.0.2.128',
      '64:ff9b::192.0.2.33',
      'fd12:3456:789a::',
      { before: 'ipv6 ', value: '::1' },
    ],
    miss: [
      'std::vector a::b cafe::babe',
      '12:30:45',
      'l[::2] + l[1::2] + l[10::3]',
      '2001::25de::cade',
      '1:2:3:4',
      '12345:db8::1',
      'fe80::1text',
      '::ffff:256.0.0.1',
      'aa:bb:cc:dd:ee:ff',
      'MyClass::toString',
      '16:27:ac:a5:76:28:2d:36',
      'x = ::1',
    ],
  },
}
