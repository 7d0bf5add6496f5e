import { Type } from 'typebox'
import type { SignatureAlgorithm } from '../../identity/algorithm.ts'
import { file, flag, integer, NAME_EXPECTED, NAME_PATTERN, oneOf, section } from './field.ts'

/** Signature algorithms that can be asked for. No HS*: whoever can check such a token can also make one. No `none`. */
export const signatureAlgorithms = [
  'EdDSA',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const satisfies readonly SignatureAlgorithm[]

const claimPath = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    description,
    minItems: 1,
    maxItems: 8,
    expected: 'a list of member names, one for each step into the claims, e.g. [realm_access, roles]',
  })

const keys = Type.Union(
  [
    section('Keys from a file.', { file: file('JWKS file with public keys. Watched.', 'data') }),
    section('Keys from an address.', {
      url: Type.String({ description: 'https address of the JWKS.', pattern: '^https://[^\\s@#]{1,2000}$' }),
      ca: Type.Optional(file('PEM bundle that the server of the JWKS is checked against.', 'authorities')),
    }),
  ],
  {
    description: 'Where the public keys of the issuer come from. An address in a token is never followed.',
    expected: 'either {file: <path of a JWKS>} or {url: <https address>, ca: <path of a PEM bundle>}',
  },
)

const tenant = Type.Union(
  [
    claimPath('Path to the claim that names the tenant.'),
    section('Every token of the issuer belongs to one tenant.', {
      value: Type.String({
        description: 'The tenant.',
        minLength: 1,
        maxLength: 128,
        pattern: '^[A-Za-z0-9._:@-]+$',
      }),
    }),
  ],
  {
    description: 'Whom a token is billed to.',
    expected: 'either a list of member names, e.g. [org_id], or {value: <tenant>}',
  },
)

const roleMap = Type.Record(
  Type.String({ pattern: '^[!-~](?:[ -~]{0,126}[!-~])?$' }),
  Type.String({ pattern: NAME_PATTERN, expected: `the name of a role: ${NAME_EXPECTED}` }),
  {
    description:
      'Value of the roles claim -> role of policies.yaml. When it is given, values that are not in it count for nothing.',
    additionalProperties: false,
    maxProperties: 1_000,
    keysExpected: '1 to 128 printable ASCII characters without outer spaces',
  },
)

const printable = (description: string) =>
  Type.String({
    description,
    pattern: '^[!-~](?:[ -~]{0,510}[!-~])?$',
    expected: '1 to 512 printable ASCII characters',
  })

const issuer = section('One issuer of tokens.', {
  name: Type.String({
    description: 'Name for logs, metrics and the ids of callers.',
    pattern: NAME_PATTERN,
    expected: NAME_EXPECTED,
  }),
  kind: oneOf(
    '`kubernetes`: projected ServiceAccount tokens, whose bound claims must agree with `sub`.',
    ['standard', 'kubernetes'],
    { default: 'standard' },
  ),
  issuer: printable('The `iss` claim, compared byte by byte.'),
  audience: printable('The `aud` claim: the name of this gateway, which no other service accepts.'),
  audienceMayBeList: flag('Also accept a list of audiences that holds ours.', { default: false }),
  algorithms: Type.Array(oneOf('A signature algorithm.', signatureAlgorithms), {
    description: 'Signature algorithms of the issuer. Name only those that it uses.',
    minItems: 1,
    maxItems: signatureAlgorithms.length,
    uniqueItems: true,
  }),
  types: Type.Array(
    Type.String({ pattern: '^[A-Za-z0-9.+/-]{1,64}$', expected: 'a token type such as at+jwt' }),
    {
      description: 'Values of the `typ` header that are accepted.',
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
      default: ['at+jwt', 'JWT'],
    },
  ),
  typeMayBeAbsent: flag('Also accept tokens without a `typ` header.', { default: false }),
  keys,
  tokenLifetimeSecondsMax: integer('Longest life of a token, from `iat` to `exp`.', {
    minimum: 10,
    maximum: 604_800,
    default: 3_600,
  }),
  clockToleranceSeconds: integer('How far the clocks of issuer and gateway may be apart.', {
    minimum: 0,
    maximum: 60,
    default: 30,
  }),
  claims: section('Which claims say what.', {
    tenant,
    roles: claimPath('Path to the claim that holds the roles: one text or a list of texts.'),
    scopes: Type.Optional(
      claimPath('Path to the claim that holds OAuth scopes. They narrow what the roles allow.'),
    ),
    roleMap: Type.Optional(roleMap),
  }),
  binding: oneOf(
    '`mtls`: only tokens that are bound to the client certificate (RFC 8705) are accepted.',
    ['none', 'mtls'],
    {
      default: 'none',
    },
  ),
})

/** Who may issue tokens, and what was revoked. */
export const identitySchema = section('Who may call, by which tokens.', {
  issuers: Type.Array(issuer, { description: 'Issuers of tokens.', minItems: 1, maxItems: 32 }),
  revocations: Type.Optional(
    file(
      'Revoked token ids, subjects and certificate fingerprints. Watched; also ends streams that are running.',
      'data',
    ),
  ),
})
