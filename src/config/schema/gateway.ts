import { type Static, Type } from 'typebox'
import { file, integer, oneOf, section, sectionWithDefaults, text } from './field.ts'
import { identitySchema } from './identity.ts'
import { opsSchema } from './ops.ts'
import { quotaSchema } from './quota.ts'
import { trafficSchema } from './traffic.ts'

const MIB = 1024 * 1024

const probes = sectionWithDefaults(
  'Plain HTTP for probes and metrics. For the cluster only: it asks nobody who they are.',
  {
    host: text('Address to listen on.', { default: '127.0.0.1' }),
    port: integer('Port to listen on.', { minimum: 1, maximum: 65_535, default: 9464 }),
  },
)

const audit = section('The tamper-evident log of what was done.', {
  directory: file('Folder of the log. It must exist and belong to this gateway alone.', 'folder'),
  onWriteFailure: oneOf(
    'What happens to new exchanges while the log cannot be written.',
    ['refuse', 'continue'],
    {
      default: 'refuse',
    },
  ),
  segmentBytesMax: integer('Size at which a new file is begun.', {
    minimum: MIB / 16,
    maximum: 1024 * MIB,
    default: 64 * MIB,
  }),
})

const drain = sectionWithDefaults('How the gateway ends.', {
  delayMs: integer('Time between "not ready" and the first refusal, for load balancers to notice.', {
    minimum: 0,
    maximum: 120_000,
    default: 5_000,
  }),
  deadlineMs: integer('Time after which streams that still run are ended with an error event.', {
    minimum: 0,
    maximum: 86_400_000,
    default: 600_000,
  }),
})

const overload = sectionWithDefaults('When callers are turned away because this process is behind.', {
  delayMsMax: integer(
    'Most that 99 of 100 timers of the event loop may be late by, for a second. 0: nobody is turned away for that.',
    { minimum: 0, maximum: 60_000, default: 500 },
  ),
  busyPercentMax: integer('Most of the time in which the event loop may have something to do, in percent.', {
    minimum: 1,
    maximum: 100,
    default: 95,
  }),
})

/** config/gateway.yaml. */
export const gatewaySchema = section('Listeners, identity, audit and the life of the process.', {
  workers: integer(
    'Processes that serve, on one machine: one for each core at most. Above 1 another one, which serves nobody, keeps them running.',
    { minimum: 1, maximum: 256, default: 1 },
  ),
  traffic: trafficSchema,
  probes,
  ops: opsSchema,
  identity: identitySchema,
  audit,
  quota: quotaSchema,
  drain,
  overload,
  log: sectionWithDefaults('The log of the process.', {
    level: oneOf('Least severe line that is written.', ['debug', 'info', 'warn', 'error'], {
      default: 'info',
    }),
  }),
  runtime: sectionWithDefaults('The Node.js that runs the gateway.', {
    allowUnsupportedNode: Type.Optional(
      Type.String({
        description:
          'The exact version below the security floor that may serve all the same. Any other version below it is refused.',
        pattern: '^[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$',
        expected: 'a version such as 26.10.0',
      }),
    ),
  }),
})

export type GatewayConfig = Static<typeof gatewaySchema>
export type TrafficConfig = GatewayConfig['traffic']
export type IssuerConfig = GatewayConfig['identity']['issuers'][number]
