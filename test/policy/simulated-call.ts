import type { Principal } from '../../src/identity/principal.ts'
import type { Call } from '../../src/openai/call.ts'

/** A call as the parser would make it: nothing asked for. */
export const simulatedCall = (fields: Partial<Call> = {}): Call => ({
  endpoint: 'chat.completions',
  model: 'llama-8b',
  stream: false,
  usageShown: false,
  choices: 1,
  prompts: 1,
  outputTokensMax: undefined,
  logprobs: undefined,
  tools: [],
  responseFormat: undefined,
  fields: {},
  texts: [],
  dropped: [],
  ...fields,
})

/** A principal as identity would make it. */
export const simulatedPrincipal = (roles: readonly string[], fields: Partial<Principal> = {}): Principal => ({
  id: 'company/alice',
  issuer: 'company',
  subject: 'alice',
  tenant: 'acme',
  roles,
  tokenScopes: undefined,
  tokenId: undefined,
  expiresAt: 0,
  issuedAt: 0,
  certificate: {
    fingerprint: 'f',
    serial: '1',
    uris: [],
    dnsNames: [],
    spiffeId: undefined,
    notBefore: 0,
    notAfter: 0,
  },
  bound: false,
  ...fields,
})
