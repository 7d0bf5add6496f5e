import { digitAt } from '../digits.ts'
import { leftContextUnits, type Recognizer } from '../recognizer.ts'
import { digits } from './shapes.ts'

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'

/** Four numbers after one of these are a version or a heading. */
const numbering = /(?:version|ver|release|build|section|chapter|clause|figure|v|§)[\s.:=#"'(]*$/i

function isHost(text: string, start: number, end: number): boolean {
  let first = 0
  for (let index = start; digitAt(text, index) >= 0; index++) first = first * 10 + digitAt(text, index)
  // Unspecified, loopback and netmasks name no machine, and programs are full of them.
  if (first === 0 || first === 127 || first === 255) return false
  return end > start && !numbering.test(text.slice(Math.max(0, start - leftContextUnits), start))
}

export const ipAddress: Recognizer = {
  entity: 'IP_ADDRESS',
  rules: [
    {
      pattern: `${octet}\\.${octet}\\.${octet}\\.${octet}`,
      left: { not: 'A-Za-z0-9_', notPair: { near: '.', far: digits } },
      right: { not: 'A-Za-z0-9_', notPair: { near: '.', far: digits } },
      lengthMax: 15,
      validate: isHost,
    },
  ],
  examples: {
    match: ['10.0.0.1', '192.168.1.254', '8.8.8.8', '203.0.113.195', '169.254.169.254'],
    miss: [
      '1.2.3.4.5',
      '10.0.19041.3',
      '256.1.1.1',
      '127.0.0.1',
      '0.0.0.0',
      '255.255.255.0',
      '01.2.3.4',
      'v1.2.3.4',
      'version 1.2.3.4',
      'Version: "1.2.3.4"',
      '1.2.3',
    ],
  },
}
