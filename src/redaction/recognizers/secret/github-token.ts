import { hasCrc32Base62 } from '../../checksums/crc32.ts'
import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'

const rule = (pattern: string, lengthMax: number, validate: Validator): Rule => ({
  pattern,
  left: { not: alphanumeric },
  lengthMax,
  // Certain at the shortest form: a longer one of a later format is masked whole.
  sure: { kind: 'run', members: 'A-Za-z0-9_' },
  validate,
})

/**
 * Classic tokens end with a checksum. One that does not fit is masked as well: a mistyped token gives most of the right
 * one away. One that fits is a token however little it looks like one.
 */
export const githubToken: Recognizer = {
  id: 'github-token',
  entity: 'GITHUB_TOKEN',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    rule(
      'gh[pousr]_[A-Za-z0-9]{36}',
      40,
      (text, start, end) => hasCrc32Base62(text, start + 4, end) || looksIssued(text, start + 4, end),
    ),
    rule('github_pat_[A-Za-z0-9_]{36}', 47, (text, _start, end) => looksIssued(text, end - 36, end)),
  ],
  examples: {
    match: [
      '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',
      'gho_16C7e42F292c6912E7710c838347Ae178B4a',
      'ghs_16C7e42F292c6912E7710c838347Ae178B4aXYZ',
      // Zeros with the checksum of zeros.
      `ghu_${'0'.repeat(30)}2C8GjS`,
      'github_pat_11ABCDEFG0aBcDeFgHiJkL_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHI',
    ],
    miss: [
      'ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq1',
      'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'ghp_000000000000000000000000000000000000',
      'x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',
      'github_pat_short',
    ],
  },
}
