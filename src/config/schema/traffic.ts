import { Type } from 'typebox'
import { file, flag, integer, namedEntries, oneOf, section, sectionWithDefaults, text } from './field.ts'

const KIB = 1024
const MIB = 1024 * KIB
const HOUR_MS = 3_600_000

const spiffe = section('Client certificates are SPIFFE X.509-SVIDs and nothing else.', {
  trustDomains: namedEntries(
    'Trust domain -> file of its own certificate authorities: one domain cannot mint identities of another.',
    file('PEM bundle of the trust domain.', 'authorities'),
    {
      pattern: '^[a-z0-9._-]{1,255}$',
      expected: 'a SPIFFE trust domain: lower-case letters, digits, ".", "_" and "-", 1 to 255 characters',
      entriesMax: 32,
    },
  ),
})

/** The TLS of a listener that asks every caller for a certificate. */
export const listenerTls = (description: string) =>
  section(description, {
    certificate: file('PEM chain of the server, leaf first.', 'certificate'),
    key: file('PEM private key of the leaf. Others on the machine must not be able to read it.', 'key'),
    clientCa: Type.Optional(
      file(
        'PEM bundle of the authorities that client certificates must come from. Needed, except with `spiffe`, which names its own.',
        'authorities',
      ),
    ),
    crl: Type.Optional(
      Type.Array(file('PEM certificate revocation list.', 'crl'), {
        description:
          'One list for each authority of the client chains: an expired or missing list refuses every caller.',
        minItems: 1,
        maxItems: 32,
      }),
    ),
    minVersion: oneOf('Lowest TLS version that is spoken.', ['TLSv1.3', 'TLSv1.2'], { default: 'TLSv1.3' }),
    sessionTickets: flag(
      'Session resumption. A stolen ticket works without the key of the certificate it was made for.',
      {
        default: false,
      },
    ),
    handshakeTimeoutMs: integer('Longest TLS handshake.', { minimum: 500, maximum: 60_000, default: 5_000 }),
    chainDepthMax: integer('Most certificates in a client chain below the authority, the leaf included.', {
      minimum: 1,
      maximum: 10,
      default: 3,
    }),
    spiffe: Type.Optional(spiffe),
  })

const json = sectionWithDefaults('Shape of a JSON body, checked while it is parsed.', {
  depthMax: integer('Deepest nesting.', { minimum: 4, maximum: 256, default: 64 }),
  keysMax: integer('Most object keys in one body.', { minimum: 16, maximum: 1_000_000, default: 20_000 }),
  valuesMax: integer('Most values in one body.', { minimum: 16, maximum: 4_000_000, default: 200_000 }),
})

const bounds = sectionWithDefaults(
  'What a caller may take of the gateway before its request is understood.',
  {
    connectionsMax: integer('Most open connections.', { minimum: 1, maximum: 1_000_000, default: 10_000 }),
    connectionsPerCertificateMax: Type.Optional(
      integer('Most open connections of one client certificate. Left out: a quarter of connectionsMax.', {
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    requestsPerConnectionMax: integer('Requests on one connection before it is closed.', {
      minimum: 1,
      maximum: 1_000_000,
      default: 1_000,
    }),
    headerBytesMax: integer('Most bytes of a request head.', {
      minimum: 2 * KIB,
      maximum: 256 * KIB,
      default: 16 * KIB,
    }),
    headersTimeoutMs: integer('Longest wait for a complete request head.', {
      minimum: 100,
      maximum: 120_000,
      default: 10_000,
    }),
    bodyTimeoutMs: integer('Longest wait for a complete request body.', {
      minimum: 100,
      maximum: 600_000,
      default: 30_000,
    }),
    bodyBytesMax: integer('Most bytes of a request body.', {
      minimum: KIB,
      maximum: 256 * MIB,
      default: 8 * MIB,
    }),
    bodiesBytesMax: integer(
      'Most bytes of all request bodies together that are being read or wait for a model server to answer; a single one is always let in.',
      { minimum: MIB, maximum: 65_536 * MIB, default: 256 * MIB },
    ),
    keepAliveTimeoutMs: integer(
      'How long an idle connection is kept. Keep it above the idle time of a load balancer in front.',
      {
        minimum: 1_000,
        maximum: 600_000,
        default: 65_000,
      },
    ),
    json,
  },
)

const stream = sectionWithDefaults('Bounds of a reply, streamed or whole.', {
  firstByteTimeoutMs: integer('Longest wait for the first byte of a model server.', {
    minimum: 100,
    maximum: HOUR_MS,
    default: 120_000,
  }),
  idleTimeoutMs: integer('Longest silence of a model server within a reply.', {
    minimum: 100,
    maximum: HOUR_MS,
    default: 60_000,
  }),
  totalTimeoutMs: integer('Longest exchange, from the first byte of the request to the last of the reply.', {
    minimum: 1_000,
    maximum: 24 * HOUR_MS,
    default: 1_800_000,
  }),
  slowReaderTimeoutMs: integer('Longest wait for a caller that does not read.', {
    minimum: 100,
    maximum: 600_000,
    default: 30_000,
  }),
  keepAliveCommentMs: integer(
    'Silence after which a comment line keeps the connection alive; 0 sends none.',
    {
      minimum: 0,
      maximum: 600_000,
      default: 15_000,
    },
  ),
  obfuscation: oneOf(
    'Pad streamed events, so that their lengths do not tell what they say. What a caller asks for (`stream_options.include_obfuscation`) goes first.',
    ['on', 'off'],
    { default: 'off' },
  ),
  eventBytesMax: integer('Most bytes of one event of a model server.', {
    minimum: KIB,
    maximum: 64 * MIB,
    default: MIB,
  }),
  replyBytesMax: integer('Most bytes of one reply of a model server.', {
    minimum: KIB,
    maximum: 1024 * MIB,
    default: 64 * MIB,
  }),
})

/** The listener that callers use. */
export const trafficSchema = section('The listener that callers use: mutual TLS, always.', {
  host: text('Address to listen on.', { default: '0.0.0.0', examples: ['::', '10.0.0.5'] }),
  port: integer('Port to listen on.', { minimum: 1, maximum: 65_535, default: 8443 }),
  serverName: Type.Optional(
    Type.Array(
      Type.String({
        minLength: 1,
        maxLength: 253,
        pattern: '^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$',
        expected: 'a host name in lower case without a trailing dot',
      }),
      {
        description:
          'Names that a TLS client may ask for (SNI); every other name is refused. Left out: any name.',
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
      },
    ),
  ),
  tls: listenerTls('Mutual TLS. Every file is watched and takes effect without a restart.'),
  bounds,
  stream,
})
