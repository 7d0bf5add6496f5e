/** What a fetch of keys may cost at most. */
export interface FetchLimits {
  readonly signal: AbortSignal
  readonly bytesMax: number
  readonly timeoutMs: number
}

/** Why a fetch brought no keys. */
export type FetchFault =
  | 'fetch_failed'
  | 'fetch_timeout'
  | 'fetch_status'
  | 'fetch_content_type'
  | 'fetch_too_large'

/**
 * Fetches the bytes behind a fixed https URL. Resolves with a fault when they cannot be had whole, in time, within
 * the limits and as JSON; never rejects. Follows no redirect.
 */
export interface KeyFetcher {
  fetchKeys(url: string, limits: FetchLimits): Promise<Uint8Array | FetchFault>
}
