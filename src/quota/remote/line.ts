/** The way to the process that keeps the store (src/workers/ipc-peer.ts, or what a test puts there). */
export interface StoreLine {
  /**
   * Rejects with a `Refusal` that the store threw, with an error that has a `reason` when nobody answered, or with what
   * failed there.
   */
  call(name: string, args: readonly unknown[]): Promise<unknown>
  /** Needs no answer, and may be lost. */
  tell(name: string, args: readonly unknown[]): void
  /** Hears what is told, and answers what is asked with what it returns or throws. */
  on(name: string, answerer: (args: readonly unknown[]) => unknown): void
}

/** Calls about the store have names of their own on the line. */
export const nameOf = (method: string): string => `quota.${method}`

/** Nothing was sent, so it can be sent again. */
export const wasNotSent = (error: unknown): boolean => (error as { reason?: unknown }).reason === 'not_sent'
/** Nobody answered; what failed there, or was refused, is an answer. */
export const isAway = (error: unknown): boolean =>
  wasNotSent(error) || (error as { reason?: unknown }).reason === 'unanswered'
