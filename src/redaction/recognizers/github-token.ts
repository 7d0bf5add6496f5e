import { looksRandom } from '../rarity.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric } from './shapes.ts'

const rule = (pattern: string, lengthMax: number, randomUnits: number): Rule => ({
  pattern,
  left: { not: alphanumeric },
  lengthMax,
  // Certain at the shortest form: a longer one of a later format is masked whole.
  sure: { kind: 'run', members: 'A-Za-z0-9_' },
  validate: (text, _start, end) => looksRandom(text, end - randomUnits, end),
})

export const githubToken: Recognizer = {
  entity: 'GITHUB_TOKEN',
  rules: [
    rule('gh[pousr]_[A-Za-z0-9]{36}', 40, 36),
    rule('github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{12}', 46, 35),
  ],
  examples: {
    match: [
      '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',
      'gho_16C7e42F292c6912E7710c838347Ae178B4a',
      'ghs_16C7e42F292c6912E7710c838347Ae178B4aXYZ',
      'github_pat_11ABCDEFG0aBcDeFgHiJkL_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHI',
    ],
    miss: [
      'ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq1',
      'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'x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',
      'github_pat_short',
    ],
  },
}
