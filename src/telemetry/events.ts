/**
 * Every line that the gateway can log, once. A line has a fixed set of fields; none of them is a prompt, a reply, a
 * token, a header or a name that a caller made up. Model names that configuration does not know show as `_other`.
 */
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { ExchangeSummary } from './exchange-summary.ts'
import { failureFrames, failureLines } from './failure-lines.ts'
import type { KnownNames } from './known-names.ts'
import type { Log, LogFields, LogLevel } from './log.ts'
import type { CertificateRole } from './metrics.ts'
import { opsEvents } from './ops-events.ts'
import type { Outcome } from './outcome.ts'
import { quotaEvents } from './quota-events.ts'
import type { RecognizerFault } from './recognizer-fault.ts'
import { workerEvents } from './worker-events.ts'

/** What the line of an exchange says beside its summary. */
export interface ExchangeIdentity {
  readonly requestId: string
  /** `principal.id` and `principal.tenant`, once authenticated. */
  readonly principal?: string | undefined
  readonly tenant?: string | undefined
  readonly remoteAddress?: string | undefined
  /** `endpoint.origin` of the model server and how often the request was sent. */
  readonly upstream?: string | undefined
  readonly attempts?: number | undefined
  /** Hash of the policy that decided. */
  readonly policy?: string | undefined
  /** `refusal.detail`: for us, never for the caller. */
  readonly detail?: string | undefined
}

export type Events = ReturnType<typeof createEvents>

const levelOf: Readonly<Record<Outcome, LogLevel>> = {
  completed: 'info',
  refused: 'info',
  client_abort: 'info',
  policy: 'info',
  drain: 'warn',
  upstream_error: 'warn',
  timeout: 'warn',
  failed: 'error',
}

const isoTime = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : 'invalid')
const address = (ip: string | undefined): string | undefined => (ip && isIP(ip) ? ip : undefined)
const errorFields = (error: unknown): LogFields => ({ error: failureLines(error), at: failureFrames(error) })
const total = (counts: ExchangeSummary['findings']): number | undefined =>
  counts?.reduce((sum, { action, count }) => sum + (action === 'shadow' ? 0 : count), 0)
const kinds = (counts: ExchangeSummary['injection'] = []): readonly string[] | undefined =>
  counts.length === 0 ? undefined : counts.map(({ kind }) => kind)

/** The closed list of log lines, over a log and the names that configuration made known. */
export function createEvents(log: Log, names: KnownNames) {
  const { write } = log
  return {
    ...lifeEvents(log),
    ...changeEvents(log),
    ...opsEvents(log),
    ...quotaEvents(log),
    ...workerEvents(log),

    /** The one line of an exchange. */
    exchangeEnded(summary: ExchangeSummary, who: ExchangeIdentity): void {
      const { outcome, usage } = summary
      write(levelOf[outcome], 'exchange.ended', `${summary.endpoint} ${summary.status} ${outcome}`, {
        request_id: who.requestId,
        endpoint: summary.endpoint,
        model: summary.model === undefined ? undefined : names.fold('model', summary.model),
        status: summary.status,
        outcome,
        refusal: summary.refusal,
        detail: who.detail,
        principal: who.principal,
        tenant: who.tenant,
        remote: address(who.remoteAddress),
        duration_ms: summary.durationMs,
        overhead_ms: summary.overheadMs,
        first_token_ms: summary.firstTokenMs,
        input_tokens: usage?.inputTokens,
        output_tokens: usage?.outputTokens,
        redactions: total(summary.findings),
        injection_signals: kinds(summary.injection),
        upstream: who.upstream,
        attempts: who.attempts,
        policy: who.policy,
      })
    },

    /** A bug or broken infrastructure. Returns the short id that the caller is shown, so that the two can be matched. */
    failure(error: unknown, requestId?: string): string {
      const id = randomBytes(4).toString('hex')
      write('error', 'failure', `failure ${id}`, {
        failure_id: id,
        request_id: requestId,
        ...errorFields(error),
      })
      return id
    },

    tlsClientRefused(reason: string | undefined, remoteAddress: string | undefined): void {
      write('debug', 'tls.refused', 'TLS handshake refused', { reason, remote: address(remoteAddress) })
    },
  }
}

/** Start, stop and health. */
function lifeEvents({ write }: Log) {
  return {
    started(build: { readonly version: string; readonly node: string; readonly policy: string }): void {
      write('info', 'gateway.started', `Sallyport ${build.version} started`, { ...build })
    },
    listening(listener: string, origin: string): void {
      write('info', 'listening', `${listener} listens on ${origin}`, { listener, origin })
    },
    /** Node.js is older than the release that closes its known security holes. */
    runtimeBelowFloor(node: string, floor: string): void {
      write('warn', 'runtime.below_floor', `Node.js ${node} is below the security floor ${floor}`, {
        node,
        floor,
      })
    },
    drainStarted(inFlight: number, drainTimeoutMs: number): void {
      const fields = { in_flight: inFlight, drain_timeout_ms: drainTimeoutMs }
      write('info', 'drain.started', 'draining: no new exchanges', fields)
    },
    drainEnded(cut: number, durationMs: number): void {
      write(cut > 0 ? 'warn' : 'info', 'drain.ended', 'drained', { cut, duration_ms: durationMs })
    },
    stopped(): void {
      write('info', 'gateway.stopped', 'stopped', {})
    },
    auditUnhealthy(error: unknown): void {
      write('error', 'audit.unhealthy', 'the audit log cannot be written', errorFields(error))
    },
    auditRecovered(seq: number): void {
      write('info', 'audit.recovered', 'the audit log can be written again', { seq })
    },
    /** A server is left out for `waitMs`, or until a probe says that it is back. */
    upstreamDown(pool: string, origin: string, reason: string, waitMs: number): void {
      const fields = { pool, origin, reason, wait_ms: Math.round(waitMs) }
      write('warn', 'upstream.down', `${origin} is left out: ${reason}`, fields)
    },
    upstreamUp(pool: string, origin: string): void {
      write('info', 'upstream.up', `${origin} is up`, { pool, origin })
    },
    /** So few servers are healthy that those that failed are called, too. */
    upstreamPanic(pool: string, now: 'panic' | 'calm'): void {
      const message =
        now === 'panic' ? 'too few servers are healthy: all are tried' : 'enough servers are healthy'
      write(now === 'panic' ? 'error' : 'info', `upstream.${now}`, message, { pool })
    },
    /** What is wrong with the lookups of a pool's servers; empty: nothing any more. */
    upstreamLookup(pool: string, problem: string, kept: boolean): void {
      const stay = kept ? ', the servers of before stay' : ''
      if (problem === '') write('info', 'upstream.lookup', `servers of ${pool} are found`, { pool })
      else write('warn', 'upstream.lookup', `lookup of ${pool}: ${problem}${stay}`, { pool, problem, kept })
    },
    /** The name service named other servers. */
    upstreamServers(pool: string, added: readonly string[], removed: readonly string[]): void {
      write('info', 'upstream.servers', `servers of ${pool} changed`, { pool, added, removed })
    },
    /** Said once for a row of failures; each of them is counted. */
    recognizerDown(reason: RecognizerFault): void {
      write('warn', 'recognizer.down', `the recognizer service failed: ${reason}`, { reason })
    },
    recognizerUp(): void {
      write('info', 'recognizer.up', 'the recognizer service answers', {})
    },
  }
}

/** Configuration, certificates, keys and revocations, as they change under way. */
function changeEvents({ write }: Log) {
  return {
    configReloaded(hash: string): void {
      write('info', 'config.reloaded', `configuration ${hash} runs`, { hash })
    },
    /** `problems` name file, line, path and rule; never a value. The old configuration goes on serving. */
    configRejected(problems: readonly string[], running: string): void {
      const fields = { running, problem_count: problems.length, problems }
      write('error', 'config.rejected', `configuration refused, ${running} stays`, fields)
    },
    tlsReloaded(role: CertificateRole, fingerprint: string, notAfter: number): void {
      const fields = { role, fingerprint, not_after: isoTime(notAfter) }
      write('info', 'tls.reloaded', `new certificate for ${role}`, fields)
    },
    /** The material works, now, and something about it will not for long or is not what was meant. */
    tlsWarning(role: CertificateRole, source: string, message: string): void {
      write('warn', 'tls.warning', `${source} ${message}`, { role, source })
    },
    tlsRejected(role: CertificateRole, error: unknown): void {
      write('error', 'tls.rejected', `new certificate for ${role} refused, the old stays`, {
        role,
        ...errorFields(error),
      })
    },
    keysReloaded(issuer: string): void {
      write('info', 'keys.reloaded', `keys of ${issuer} loaded`, { issuer })
    },
    keysUnavailable(issuer: string, error: unknown): void {
      write('error', 'keys.unavailable', `keys of ${issuer} cannot be had`, { issuer, ...errorFields(error) })
    },
    /** Pools of model servers could not be made anew from their key and certificate files. */
    upstreamsRejected(error: unknown): void {
      write('error', 'upstreams.rejected', 'files of model servers refused, the old stay', errorFields(error))
    },
    /** The client of the recognizer service could not be made anew from its key and certificate files. */
    recognizerRejected(error: unknown): void {
      const message = 'files of the recognizer service refused, the old stay'
      write('error', 'recognizer.rejected', message, errorFields(error))
    },
    /** The new configuration runs, but for these fields, which are read once, at the start. */
    configNeedsRestart(fields: readonly string[]): void {
      write('warn', 'config.needs_restart', 'some changes take effect only after a restart', { fields })
    },
    revocationsReloaded(entries: number, streamsCut: number): void {
      write('info', 'revocations.reloaded', 'revocation list loaded', { entries, streams_cut: streamsCut })
    },
    revocationsRejected(error: unknown): void {
      write('error', 'revocations.rejected', 'revocation list refused, the old stays', errorFields(error))
    },
  }
}
