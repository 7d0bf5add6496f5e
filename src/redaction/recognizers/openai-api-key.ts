import { looksRandom } from '../rarity.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric } from './shapes.ts'

const randomUnits = 20

const rule = (pattern: string, lengthMax: number): Rule => ({
  pattern,
  left: { not: alphanumeric },
  lengthMax,
  sure: { kind: 'run', members: 'A-Za-z0-9_\\-' },
  validate: (text, _start, end) => looksRandom(text, end - randomUnits, end),
})

/** Keys that begin with `sk-`: OpenAI's, and those of the services that took the form over. */
export const openaiApiKey: Recognizer = {
  entity: 'OPENAI_API_KEY',
  rules: [
    rule('sk-(proj|svcacct|admin|None|or-v1|ant|ant-[a-z]{2,8}\\d{2})-[A-Za-z0-9_\\-]{20}', 40),
    rule('sk-[A-Za-z0-9]{20}', 23),
  ],
  examples: {
    match: [
      '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',
      'sk-proj-aB3dE5fG7hI9_jK1lM3nO-T3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sk-svcacct-aB3dE5fG7hI9jK1lM3nOT3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sk-admin-aB3dE5fG7hI9jK1lM3nOT3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sk-ant-api03-aB3dE5fG7hI9jK1lM3nOpQ5rS7tU9vW1xY3zA5bCdE7fG9hI1jK3lM5nO7pQ9rS1tU3vW5xY7zA9bC1dE3fAA',
      'sk-0123456789abcdef0123456789abcdef',
    ],
    miss: [
      'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'sk-proj-xxxxxxxxxxxxxxxxxxxxxxxx',
      'sk-proj-your-project-key-goes-here',
      'sk-loading-spinner-container-wide',
      'task-0123456789abcdef0123456789abcdef',
      'sk-short1',
    ],
  },
}
