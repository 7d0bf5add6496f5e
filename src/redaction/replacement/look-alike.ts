import type { Recognizer } from '../recognizer.ts'

/**
 * Text of a caller that looks like a pseudonym. It gets a pseudonym of its own, which comes back as it was written: so
 * nobody can make the gateway print another value by writing, or having a document write, its token.
 */
export const lookAlike: Recognizer = {
  id: 'pseudonym-look-alike',
  entity: 'PSEUDONYM',
  category: 'identity',
  tier: 1,
  family: 'text',
  rules: [
    {
      pattern: 'PII\\\\{0,2}_[A-Z0-9]{1,12}\\\\{0,2}_[A-Z0-9]{9}',
      ignoreCase: true,
      left: { not: 'A-Za-z0-9' },
      right: { not: 'A-Za-z0-9' },
      lengthMax: 30,
    },
  ],
  examples: {
    match: ['PII_EMAIL_7Q2K9X4DM', 'pii_email_7q2k9x4dm', 'PII\\_CREDITCARD\\_00000000Z'],
    miss: ['PII_EMAIL', 'PII_EMAIL_7Q2K', 'xPII_EMAIL_7Q2K9X4DM', 'the PII_FILTER_CONFIGURATION flag'],
  },
}
