import type { Recognizer } from '../../recognizer.ts'
import { aiProviders } from './ai-providers.ts'
import { awsAccessKey } from './aws-access-key.ts'
import { chatAndMail } from './chat-and-mail.ts'
import { cloudKeys } from './cloud-keys.ts'
import { databaseKeys } from './database-keys.ts'
import { gitHosting } from './git-hosting.ts'
import { githubToken } from './github-token.ts'
import { infrastructureKeys } from './infrastructure-keys.ts'
import { jsonWebToken } from './json-web-token.ts'
import { keyMaterial } from './key-material.ts'
import { observability } from './observability.ts'
import { openaiApiKey } from './openai-api-key.ts'
import { packageRegistries } from './package-registries.ts'
import { payments } from './payments.ts'
import { saasTokens } from './saas-tokens.ts'
import { webhooks } from './webhooks.ts'

/** Secrets that prove themselves, by their first characters or by their structure, without a name before them. */
export const prefixSecrets: readonly Recognizer[] = [
  jsonWebToken,
  githubToken,
  openaiApiKey,
  awsAccessKey,
  ...webhooks,
  ...keyMaterial,
  ...gitHosting,
  ...cloudKeys,
  ...databaseKeys,
  ...infrastructureKeys,
  ...aiProviders,
  ...payments,
  ...chatAndMail,
  ...observability,
  ...packageRegistries,
  ...saasTokens,
]
