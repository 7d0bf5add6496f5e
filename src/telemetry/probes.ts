/** What readiness depends on. Everything here is a fact that the gateway knows without asking another machine. */
export interface ReadyState {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number
  /** Hash of the running policy, once one is loaded. */
  readonly config: string | undefined
  /** Certificates that the listeners and the upstream connections present. */
  readonly certificates: readonly {
    readonly role: string
    readonly notBefore: number
    readonly notAfter: number
  }[]
  /** Issuers and how many verification keys are at hand for each. */
  readonly issuers: readonly { readonly issuer: string; readonly keys: number }[]
  readonly auditHealthy: boolean
  /** The store of limits. While it is away the gateway serves with its share: that is a detail, not a reason. */
  readonly quota: {
    readonly available: boolean
    readonly replicas: number
    readonly backlog: number
    readonly awaySince?: number
  }
  readonly draining: boolean
}

export interface ProbeCheck {
  readonly ready: boolean
  readonly detail: string
}

/** A probe's answer, to be sent as it is. */
export interface ProbeAnswer {
  readonly status: 200 | 503
  readonly body: {
    readonly status: 'ok' | 'unavailable'
    readonly checks?: Readonly<Record<string, ProbeCheck>>
  }
}

/** The process runs its event loop: that it answers is the proof. Never depends on anything else. */
export function livez(): ProbeAnswer {
  return { status: 200, body: { status: 'ok' } }
}

/**
 * Whether new exchanges may be sent here. Model servers are left out on purpose: when they are down, every replica is
 * equally unready, and a gateway that says so clearly is better than none.
 */
export function readyz(state: ReadyState): ProbeAnswer {
  const checks = {
    config: check(state.config !== undefined, state.config ?? 'no valid configuration has been loaded'),
    certificates: certificatesCheck(state),
    keys: keysCheck(state),
    audit: check(state.auditHealthy, state.auditHealthy ? 'writable' : 'the audit log cannot be written'),
    quota: check(true, quotaDetail(state.quota)),
    drain: check(!state.draining, state.draining ? 'shutting down' : 'accepting'),
  }
  const ready = Object.values(checks).every((each) => each.ready)
  return { status: ready ? 200 : 503, body: { status: ready ? 'ok' : 'unavailable', checks } }
}

/**
 * Whether new exchanges may be sent to a gateway with workers: one that is ready is enough. The other checks are those of
 * a ready worker, or of the first that answers. `undefined`: a worker did not answer in time.
 */
export function readyzOfWorkers(
  answers: readonly (ProbeAnswer | undefined)[],
  { wanted, draining }: { readonly wanted: number; readonly draining: boolean },
): ProbeAnswer {
  const ready = answers.filter((answer) => answer?.status === 200)
  const [first] = ready.length > 0 ? ready : answers.filter((answer) => answer !== undefined)
  const serves = ready.length > 0 && !draining
  const checks = {
    ...first?.body.checks,
    drain: check(!draining, draining ? 'shutting down' : 'accepting'),
    workers: check(ready.length > 0, `${ready.length} of ${wanted} are ready`),
  }
  return { status: serves ? 200 : 503, body: { status: serves ? 'ok' : 'unavailable', checks } }
}

const check = (ready: boolean, detail: string): ProbeCheck => ({ ready, detail })

function certificatesCheck({ certificates, now }: ReadyState): ProbeCheck {
  if (certificates.length === 0) return check(false, 'no certificate has been loaded')
  const bad = certificates.filter(({ notBefore, notAfter }) => now < notBefore || now >= notAfter)
  if (bad.length > 0) return check(false, `not valid now: ${bad.map(({ role }) => role).join(', ')}`)
  const first = Math.min(...certificates.map(({ notAfter }) => notAfter))
  return check(true, `valid until ${new Date(first).toISOString()}`)
}

function quotaDetail({ available, replicas, backlog, awaySince }: ReadyState['quota']): string {
  if (available) return replicas > 1 ? `shared by ${replicas} gateways` : 'available'
  const since = awaySince === undefined ? '' : ` since ${new Date(awaySince).toISOString()}`
  return `away${since}: limits by this gateway's share, ${backlog} settlements wait`
}

/** One issuer with keys is enough to serve somebody; an issuer without keys is named. */
function keysCheck({ issuers }: ReadyState): ProbeCheck {
  const missing = issuers.filter(({ keys }) => keys === 0).map(({ issuer }) => issuer)
  const some = missing.length < issuers.length
  if (missing.length === 0) return check(some, some ? 'all issuers have keys' : 'no issuer is configured')
  return check(some, `without keys: ${missing.join(', ')}`)
}
