import { type Static, Type } from 'typebox'
import { file, integer, oneOf, section, sectionWithDefaults, text } from './field.ts'
import { serverTls } from './server-tls.ts'

const address = Type.String({
  description: 'Host and port.',
  maxLength: 300,
  pattern: '^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$',
  expected: 'host:port such as redis.internal:6379',
})

const redis = section('Redis (or a server that speaks like it), which all gateways share.', {
  mode: oneOf(
    '`standalone`: one server; `sentinel`: addresses of sentinels, which name it; `cluster`: addresses of nodes.',
    ['standalone', 'sentinel', 'cluster'],
    { default: 'standalone' },
  ),
  addresses: Type.Array(address, {
    description: 'Addresses of the server, the sentinels or the nodes.',
    minItems: 1,
    maxItems: 32,
    uniqueItems: true,
  }),
  masterName: Type.Optional(text('Name of the master that the sentinels watch; for `sentinel` alone.')),
  tls: Type.Optional(serverTls),
  plaintext: Type.Optional(
    oneOf('`allowed`: without TLS although an address is not on this machine.', ['allowed']),
  ),
  username: Type.Optional(text('User of the access control list (Redis 6).')),
  passwordFile: Type.Optional(file('File that holds the password.', 'secret')),
  keyPrefix: Type.String({
    description: 'Every key begins with it. Gateways that share limits share it.',
    maxLength: 64,
    pattern: '^[A-Za-z0-9._:-]*$',
    expected: 'letters, digits and ._:-',
    default: 'sallyport:',
  }),
  deadlineMs: integer('Longest wait for an answer; then this gateway goes on with its share.', {
    minimum: 5,
    maximum: 5_000,
    default: 50,
  }),
})

/** Where the state of limits is kept. */
export const quotaSchema = sectionWithDefaults('Where the state of limits is kept.', {
  directory: Type.Optional(
    file(
      'Folder of this gateway alone: budgets and what operators set survive a restart. Not together with `redis`.',
      'folder',
    ),
  ),
  redis: Type.Optional(redis),
})

export type QuotaConfig = Static<typeof quotaSchema>
