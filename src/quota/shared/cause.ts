/** Why Redis counts as away. A bounded set: a metric label. */
export const causes = [
  'timeout',
  'connection',
  'read_only',
  'out_of_memory',
  'loading',
  'busy',
  'cluster',
  'not_allowed',
  'other',
] as const
export type Cause = (typeof causes)[number]

/** Nobody knows whether the command was run: no answer came in time, or its connection broke. */
export class Unanswered extends Error {
  readonly reason: Cause

  constructor(reason: Cause, cause?: unknown) {
    super(`Redis did not answer (${reason})`, { cause })
    this.name = 'Unanswered'
    this.reason = reason
  }
}

/** Nothing was sent: Redis is away. */
export class StoreAway extends Error {
  constructor() {
    super('the quota store is away')
    this.name = 'StoreAway'
  }
}

const byReply: readonly (readonly [RegExp, Cause])[] = [
  [/^(?:READONLY|MASTERDOWN|NOREPLICAS|NOMASTERLINK)/, 'read_only'],
  [/^(?:OOM|MISCONF)/, 'out_of_memory'],
  [/^LOADING/, 'loading'],
  [/^(?:BUSY|UNKILLABLE)/, 'busy'],
  [/^(?:CLUSTERDOWN|MOVED|ASK|TRYAGAIN|CROSSSLOT)|Cluster/, 'cluster'],
  [/^(?:NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/, 'not_allowed'],
]

export function causeOf(error: unknown): Cause {
  if (error instanceof Unanswered) return error.reason
  const { message = '', name = '' } = error instanceof Error ? error : {}
  const known = byReply.find(([pattern]) => pattern.test(message))
  if (known !== undefined) return known[1]
  return name === 'ReplyError' ? 'other' : 'connection'
}

/** The server itself said no: what was asked has not been done. */
export const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'
