import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { isFilled, looksIssued } from './placeholder.ts'

const randomUnits = 20

const unfilled: Validator = (text, start, end) => !isFilled(text, start, end)

const rule = (pattern: string, lengthMax: number): Rule => ({
  pattern,
  left: { not: alphanumeric },
  lengthMax,
  sure: { kind: 'run', members: 'A-Za-z0-9_\\-' },
  validate: (text, _start, end) => looksIssued(text, end - randomUnits, end),
})

/**
 * Keys that begin with `sk-`: OpenAI's, and those of the services that took the form over. Where these put their own name
 * behind it (`sk-ant-`), `ai-providers.ts` has them.
 */
export const openaiApiKey: Recognizer = {
  id: 'openai-api-key',
  entity: 'OPENAI_API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    rule('sk-(proj|svcacct|admin|service|None)-[A-Za-z0-9_\\-]{20}', 31),
    rule('sess-[A-Za-z0-9]{40}', 45),
    // The infix is `OpenAI` in base64.
    { ...rule('sk-(proj-|svcacct-|admin-)?[A-Za-z0-9_\\-]{16,80}T3BlbkFJ', 99), validate: unfilled },
    rule('sk-[A-Za-z0-9]{20}', 23),
  ],
  examples: {
    match: [
      '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',
      'sk-proj-aB3dE5fG7hI9_jK1lM3nO-T3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sk-svcacct-aB3dE5fG7hI9jK1lM3nOT3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sk-admin-aB3dE5fG7hI9jK1lM3nOT3BlbkFJpQ5rS7tU9vW1xY3zA5bC',
      'sess-aB3dE5fG7hI9jK1lM3nOpQ5rS7tU9vW1xY3zA5bC',
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
