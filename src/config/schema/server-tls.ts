import { Type } from 'typebox'
import { file, section } from './field.ts'

/** TLS toward servers that the gateway calls. */
export const serverTls = section(
  'How the servers are checked, and how the gateway shows who it is. The roots of the system are never used.',
  {
    ca: file('PEM bundle of the authorities that the servers must come from.', 'authorities'),
    certificate: Type.Optional(file('PEM chain that the gateway shows.', 'certificate')),
    key: Type.Optional(file('PEM private key of that chain.', 'key')),
    serverName: Type.Optional(
      Type.String({
        description: 'Name to look for in the certificate when the addresses are numbers.',
        maxLength: 253,
        pattern: '^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$',
        expected: 'a host name',
      }),
    ),
  },
)
