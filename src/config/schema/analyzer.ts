import { Type } from 'typebox'
import { file, flag, integer, section } from './field.ts'
import { serverTls } from './server-tls.ts'

/** `recognizerService` of config/redaction.yaml. */
export const analyzer = section(
  'A service that is asked about prompts, after the rules: Presidio\u2019s analyzer, or what speaks its POST /analyze.',
  {
    url: Type.String({
      description: 'Whole address; plain http only to this machine itself.',
      maxLength: 2_048,
      pattern: '^https?://[!-~]+$',
      expected: 'an address such as https://presidio.internal/analyze',
    }),
    tls: Type.Optional(serverTls),
    apiKeyFile: Type.Optional(
      file('File that holds the key that is sent as a bearer token. Watched.', 'secret'),
    ),
    language: Type.String({
      description: 'Language that the texts are said to be in.',
      default: 'en',
      pattern: '^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$',
      expected: 'a language code, e.g. en',
    }),
    entities: Type.Array(
      Type.String({
        pattern: '^[A-Z][A-Z0-9_]{0,63}$',
        expected: 'the name of an entity, e.g. PERSON',
      }),
      {
        description: 'What it is asked for, in its own names. What the rules find need not be among them.',
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
      },
    ),
    scoreMin: Type.Number({
      description: 'Score that a result needs.',
      minimum: 0,
      maximum: 1,
      default: 0.5,
      expected: 'a number from 0 to 1, e.g. 0.5',
    }),
    timeoutMs: integer('Longest wait for one answer, the wait for a free connection included.', {
      minimum: 50,
      maximum: 60_000,
      default: 2_000,
    }),
    failOpen: flag('Lets prompts go on as the rules left them when the service fails, instead of 503.', {
      default: false,
    }),
  },
)
