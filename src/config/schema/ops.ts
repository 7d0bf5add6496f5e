import { type Static, Type } from 'typebox'
import { integer, oneOf, sectionWithDefaults, text } from './field.ts'
import { listenerTls } from './traffic.ts'

const roles = (description: string, options: { readonly default: string[] }) =>
  Type.Array(Type.String({ description: 'A role, as tokens carry it.', minLength: 1, maxLength: 256 }), {
    description,
    maxItems: 64,
    uniqueItems: true,
    ...options,
  })

/** The listener that operators use. */
export const opsSchema = sectionWithDefaults(
  'The listener of operators: limits, overrides and reasons of refusals. Mutual TLS, a token and a role.',
  {
    host: text('Address to listen on.', { default: '127.0.0.1', examples: ['::1', '10.0.0.5'] }),
    port: integer('Port to listen on.', { minimum: 1, maximum: 65_535, default: 9443 }),
    operatorRoles: roles('Roles of tokens that may read and change.', { default: ['ops'] }),
    auditorRoles: roles('Roles of tokens that may read, and change nothing.', { default: ['auditor'] }),
    issuers: Type.Optional(
      Type.Array(text('Name of an issuer of `identity.issuers`.'), {
        description: 'Issuers whose tokens are taken here. Left out: every issuer of the gateway.',
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
      }),
    ),
    binding: oneOf(
      '`required`: the token must be bound to the client certificate (RFC 8705).',
      ['none', 'required'],
      { default: 'none' },
    ),
    tls: Type.Optional(listenerTls('Certificates of this listener. Left out: those of `traffic.tls`.')),
  },
)

export type OpsConfig = Static<typeof opsSchema>
