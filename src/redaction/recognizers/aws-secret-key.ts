import { looksRandom } from '../rarity.ts'
import type { Recognizer } from '../recognizer.ts'
import { alphanumeric } from './shapes.ts'

const names = [
  '(aws_)?secret_access_key',
  '(AWS_)?SECRET_ACCESS_KEY',
  'aws_secret_key',
  'AWS_SECRET_KEY',
  '[Ss]ecretAccessKey',
  '[Ss]ecret [Aa]ccess [Kk]ey',
]

/**
 * AWS secret access keys (IAM user guide: 40 characters of base64). Such a value could be anything, so it counts only
 * behind its name, which is masked with it.
 */
export const awsSecretKey: Recognizer = {
  entity: 'AWS_SECRET_KEY',
  rules: [
    {
      pattern: `(${names.join('|')})["' ]{0,2}[:=]?["' ]{1,3}[A-Za-z0-9/+]{40}`,
      left: { not: alphanumeric },
      right: { not: 'A-Za-z0-9/+' },
      lengthMax: 67,
      validate: (text, _start, end) => looksRandom(text, end - 40, end),
    },
    {
      pattern: `(${names.join('|')})["' ]{0,2}[:=][A-Za-z0-9/+]{40}`,
      left: { not: alphanumeric },
      right: { not: 'A-Za-z0-9/+' },
      lengthMax: 64,
      validate: (text, _start, end) => looksRandom(text, end - 40, end),
    },
  ],
  examples: {
    match: [
      'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'secret access key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      "AWS_SECRET_KEY: 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
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
