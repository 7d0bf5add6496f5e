import type { Recognizer } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { isFilled } from './placeholder.ts'

/** Letters of bases in alignments of DNA and RNA, which may begin with `ACCA`. */
const sequence = /^[ACGTUN]*$/

/**
 * AWS identifiers of access keys (IAM user guide). Those that are issued are base32; look-alikes of fixtures hold other
 * digits too. Identifiers of the documentation (`...EXAMPLE`) are masked as well: they cost nothing, and a list can be gamed.
 */
export const awsAccessKey: Recognizer = {
  id: 'aws-access-key',
  entity: 'AWS_ACCESS_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '(A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}',
      left: { not: alphanumeric },
      right: { not: alphanumeric },
      lengthMax: 20,
      validate: (text, start, end) =>
        !isFilled(text, start + 4, end) && !sequence.test(text.slice(start + 4, end)),
    },
  ],
  examples: {
    match: ['AKIAIOSFODNN7EXAMPLE', 'ASIAQ3EGWJ5T2ZLKMXYA', 'A3TXQ3EGWJ5T2ZLKMXYA'],
    miss: [
      'AKIAIOSFODNN7EXAMPL',
      'AKIAIOSFODNN7EXAMPLES',
      'XAKIAIOSFODNN7EXAMPLE',
      'akiaiosfodnn7example',
      'AKIAXXXXXXXXXXXXXXXX',
      'ACCATTGACCATGCAATTGC',
    ],
  },
}
