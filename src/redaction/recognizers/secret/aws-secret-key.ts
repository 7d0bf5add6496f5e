import { looksRandom, surprisal } from '../../rarity.ts'
import type { Guard, Recognizer, Validator } from '../../recognizer.ts'
import { endsOfName } from './credential-hint.ts'
import { credentialKey } from './credential-key.ts'
import { isLetter, LeftReader } from './left-reader.ts'

/** Its name, in any case and however its words are joined, and what stands between name and value. */
const named = new RegExp(
  '(?:secret[_\\- ]?access(?:[_\\- ]?key)?|secretkey|aws[\\w\\- ]{0,16}secret(?:[_\\- ]?key)?)' +
    '(?:\\W{1,8}|\\W{1,4}is )$',
  'i',
)
const nameUnits = 56

/** A key identifier just before: the two are shown together. */
const paired = /(?:AKIA|ASIA)[A-Z2-7]{16}["',;:=|\s]{1,6}$/

/** The last unit of a key identifier; words of prose end with a small letter. */
const mayEndIdentifier = (unit: number): boolean => (unit >= 65 && unit <= 90) || (unit >= 50 && unit <= 55)

function isPaired(text: string, start: number): boolean {
  const reader = new LeftReader(text, start)
  return paired.test(reader.behind(26))
}

function mayBePaired(text: string, start: number): boolean {
  let at = start - 1
  while (start - at < 7 && !mayEndIdentifier(text.charCodeAt(at)) && !isLetter(text.charCodeAt(at))) at--
  return mayEndIdentifier(text.charCodeAt(at)) && mayEndIdentifier(text.charCodeAt(at - 1))
}

/** Behind its name, or behind a key identifier. */
function isIntroduced(text: string, start: number): boolean {
  const key = credentialKey(text, start)
  if (key !== undefined && named.test(new LeftReader(text, start).behind(nameUnits))) return true
  return mayBePaired(text, start) && isPaired(text, start)
}

// Behind a small letter and a blank stands no key identifier, so that only names are left there.
const guard: Guard = Object.assign(isIntroduced, { ends: endsOfName('"\',') })

/** Not a digest in hex, and no path or identifier of words. */
const validate: Validator = (text, start, end) =>
  !/^[\da-fA-F]+$/.test(text.slice(start, end)) &&
  looksRandom(text, start, end) &&
  surprisal(text, start, end) >= 4.6

/**
 * AWS secret access keys (IAM user guide: 40 characters of base64). Such a value could be anything without
 * its name.
 */
export const awsSecretKey: Recognizer = {
  id: 'aws-secret-key',
  entity: 'AWS_SECRET_KEY',
  category: 'secret',
  tier: 1,
  family: 'text',
  rules: [
    {
      pattern: '[A-Za-z0-9/+]{40}',
      left: { only: '=:>|(,"\'`\\s', notPair: { near: ' ', far: 'a-xz' } },
      right: { not: 'A-Za-z0-9/+' },
      lengthMax: 40,
      guard,
      validate,
    },
  ],
  examples: {
    match: [
      { before: 'AWS_SECRET_ACCESS_KEY=', value: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      { before: 'aws_secret_access_key = ', value: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      { before: '"SecretAccessKey": "', value: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      { before: 'secret access key: ', value: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      { before: "AWS_SECRET_KEY: '", value: 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY' },
    ],
    miss: [
      'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'AWS_SECRET_ACCESS_KEY=<your secret access key>',
      'AWS_SECRET_ACCESS_KEY=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
      'aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYz',
      'the secret access key of the account is not shown again',
    ],
  },
}
