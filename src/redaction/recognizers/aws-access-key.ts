import type { Recognizer } from '../recognizer.ts'
import { alphanumeric } from './shapes.ts'

/** Identifiers of the documentation (`...EXAMPLE`) are masked too: they cost nothing, and a list can be gamed. */
export const awsAccessKey: Recognizer = {
  entity: 'AWS_ACCESS_KEY',
  rules: [
    {
      pattern: '(A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}',
      left: { not: alphanumeric },
      right: { not: alphanumeric },
      lengthMax: 20,
    },
  ],
  examples: {
    match: ['AKIAIOSFODNN7EXAMPLE', 'ASIAQ3EGWJ5T2ZLKMXYA', 'A3TXQ3EGWJ5T2ZLKMXYA'],
    miss: ['AKIAIOSFODNN7EXAMPL', 'AKIAIOSFODNN7EXAMPLES', 'XAKIAIOSFODNN7EXAMPLE', 'akiaiosfodnn7example'],
  },
}
