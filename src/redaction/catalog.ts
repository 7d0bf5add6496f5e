import type { Automaton } from './automaton.ts'
import { compile } from './compiler/compile.ts'
import type { Recognizer } from './recognizer.ts'
import { awsAccessKey } from './recognizers/aws-access-key.ts'
import { awsSecretKey } from './recognizers/aws-secret-key.ts'
import { creditCard } from './recognizers/credit-card.ts'
import { emailAddress } from './recognizers/email-address.ts'
import { githubToken } from './recognizers/github-token.ts'
import { iban } from './recognizers/iban.ts'
import { ipAddress } from './recognizers/ip-address.ts'
import { jsonWebToken } from './recognizers/json-web-token.ts'
import { openaiApiKey } from './recognizers/openai-api-key.ts'
import { phoneNumber } from './recognizers/phone-number.ts'
import { privateKey } from './recognizers/private-key.ts'
import { usSsn } from './recognizers/us-ssn.ts'

/** Every recognizer, by priority: where two match the same text, the first gives the label. */
export const recognizers: readonly Recognizer[] = [
  privateKey,
  jsonWebToken,
  githubToken,
  openaiApiKey,
  awsAccessKey,
  awsSecretKey,
  creditCard,
  iban,
  usSsn,
  phoneNumber,
  ipAddress,
  emailAddress,
]

/** The entities a profile can name. */
export const entities: readonly string[] = recognizers.map(({ entity }) => entity)

let compiled: Automaton | undefined

/** The automaton of all recognizers, compiled when it is first asked for. */
export function catalogAutomaton(): Automaton {
  compiled ??= compile(recognizers)
  return compiled
}
