import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { times } from '../shapes.ts'

const hex = '0-9A-Fa-f'

/** Broadcast and unset are of every network. */
const isCard: Validator = (text, start, end) => {
  const plain = text.slice(start, end).replace(/[.:-]/g, '').toLowerCase()
  return plain !== plain.charAt(0).repeat(plain.length)
}

const isLettered: Validator = (text, start, end) =>
  isCard(text, start, end) && /[a-f]/i.test(text.slice(start, end))

/** Six bytes (EUI-48) or eight (EUI-64), joined in one way. */
const joined = (separator: string): string =>
  `[${hex}]{2}${times(`${separator}[${hex}]{2}`, 5, 5)}(${separator}[${hex}]{2}${separator}[${hex}]{2})?`

const rule = (pattern: string, separator: string, validate: Validator): Rule => ({
  pattern,
  left: { not: 'A-Za-z0-9_', notPair: { near: separator, far: hex } },
  right: { not: 'A-Za-z0-9_', notPair: { near: separator, far: hex } },
  lengthMax: 23,
  validate,
})

export const macAddress: Recognizer = {
  id: 'mac-address',
  entity: 'MAC_ADDRESS',
  category: 'network',
  tier: 1,
  family: 'text',
  rules: [
    rule(joined(':'), ':', isCard),
    // Pairs of digits alone are as often a date with a time, or numbers that were drawn.
    rule(joined('-'), '\\-', isLettered),
    rule(`[${hex}]{4}\\.[${hex}]{4}\\.[${hex}]{4}`, '.', isLettered),
    {
      ...rule(
        `[${hex}]{4}[${hex}]{4}[${hex}]{4}|${joined('-')}|[${hex}]{4}\\.[${hex}]{4}\\.[${hex}]{4}`,
        '\\-',
        isCard,
      ),
      score: 0.2,
      context: ['mac', 'hwaddr', 'ethernet', 'bssid', 'wifi', 'ether', 'bluetooth', 'macaddress'],
    },
  ],
  examples: {
    match: [
      '00:1a:2b:3c:4d:5e',
      '00-1A-2B-3C-4D-5E',
      '0012.3456.789a',
      '01:23:45:67:89:10',
      '02:42:ac:ff:fe:11:00:02',
      { before: 'MAC ', value: '001A2B3C4D5E' },
      { before: 'bssid=', value: '01-23-45-67-89-10' },
    ],
    miss: [
      'FF:FF:FF:FF:FF:FF',
      '00:00:00:00:00:00',
      'ZZ:ZZ:ZZ:ZZ:ZZ:ZZ',
      '10:2F:33-AC-29-C3',
      '16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48',
      '12:30:45',
      '01-02-03-04-05-06',
      '1234.5678.9012',
      '001A2B3C4D5E',
    ],
  },
}
