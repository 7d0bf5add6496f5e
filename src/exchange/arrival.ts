import type { PeerCertificate } from '../identity/principal.ts'
import type { Refusal } from '../refusal.ts'

/** What came in, before anything of it is believed. */
export interface Arrival {
  /** Our own id of the exchange (UUIDv7); a caller's `x-request-id` is never used. */
  readonly id: string
  readonly method: string
  /** The request target exactly as it was sent. */
  readonly target: string
  readonly httpVersion: string
  /** Names and values in turn, in the order and case they were sent (duplicates included). */
  readonly rawHeaders: readonly string[]
  readonly body: AsyncIterable<Uint8Array>
  readonly remoteAddress: string | undefined
  /** A fault that the HTTP framework found before the exchange began. */
  readonly fault: Refusal | undefined
  /** The caller's certificate. Throws a Refusal when it does not (or no longer) meet the listener's rules. */
  peer(): PeerCertificate
  /** Throws a Refusal when the Host header names another server than the TLS connection was opened for. */
  checkHost(host: string): void
}

export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The caller's side of the exchange. Every promise settles when the bytes have left or the caller has gone. */
export interface Client {
  /** Aborts when the connection ends before the reply did. The only truth about that: Node's `close` event. */
  readonly gone: AbortSignal
  /** The head of the reply has been sent. */
  readonly begun: boolean
  /** A whole reply. */
  send(head: Head, body: string): Promise<void>
  /** Begins a stream. */
  open(head: Head): void
  /**
   * Returns undefined when more may be written at once, else a promise that resolves when it may (backpressure).
   * Throws `slow_reader` when the caller does not read in time, `caller_gone` when it has left.
   */
  write(text: string): Promise<void> | undefined
  /** Writes the last bytes and resolves when they have left. */
  end(text: string): Promise<void>
}
