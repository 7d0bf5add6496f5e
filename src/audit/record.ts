/**
 * One line of the audit log. Two per exchange that reaches a model server (`exchange.admitted` before dispatch,
 * `exchange.ended` after the last byte); one (`exchange.ended`) for an exchange that was refused before.
 * Never holds a prompt, a reply, a token or a key in clear.
 */
export interface AuditEvent {
  readonly event:
    | 'exchange.admitted'
    | 'exchange.ended'
    | 'gateway.started'
    | 'gateway.stopped'
    | 'config.reloaded'
    | 'log.recovered'
    | 'caller.refused_often'
    | 'quota.changed'
    | 'quota.deleted'
    | 'override.created'
    | 'override.deleted'
    | 'bucket.reset'
    | 'quota.store_away'
    | 'quota.store_back'
  readonly request_id?: string
  /** RFC 3339 with milliseconds, UTC. */
  readonly time: string
  readonly [field: string]: AuditValue | undefined
}

export type AuditValue =
  | string
  | number
  | boolean
  | null
  | readonly AuditValue[]
  | { readonly [field: string]: AuditValue | undefined }

/** What the log adds: position and chain. `hash` = SHA-256 over the RFC 8785 form of the record without `hash`. */
export interface AuditRecord extends AuditEvent {
  readonly v: 1
  /** Consecutive from 1 in one log directory, over restarts and segment files. */
  readonly seq: number
  /** `hash` of the record before, 64 zeros for the first. */
  readonly prev: string
  readonly hash: string
}

export interface AuditLog {
  /**
   * Resolves when the record is durable (written through to the disk; many records share one write). Rejects when it
   * cannot be made durable; from then on `healthy` is false until a later write succeeds on a new segment.
   */
  append(event: AuditEvent): Promise<AuditRecord>
  readonly healthy: boolean
  /** Records waiting for their sync. */
  readonly queued: number
  /** Position and hash of the last durable record. */
  readonly head: { readonly seq: number; readonly hash: string }
  close(): Promise<void>
}

/** A log that can be asked to write again after a failure although there is nothing to record. */
export interface HealingAuditLog extends AuditLog {
  /** Resolves when it has tried; `healthy` tells the result. */
  heal(): Promise<void>
}
