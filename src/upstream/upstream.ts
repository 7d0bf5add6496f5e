/** One server of a pool. */
export interface EndpointHandle {
  /** `https://10.0.0.7:8000`, safe to log and to label a metric with (bounded by configuration). */
  readonly origin: string
  readonly inFlight: number
  /** Sends one POST. Throws a Refusal (`upstream_*`); resolves when the response head is there. */
  post(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamAnswer>
  /** Asks the server about itself, on a connection of its own. Throws a Refusal (`upstream_*`). */
  get(path: StatusPath, signal: AbortSignal): Promise<StatusAnswer>
  close(): Promise<void>
}

/** What the gateway asks of a server besides calls. */
export type StatusPath = '/health' | '/metrics' | '/v1/models'

export interface StatusAnswer {
  readonly status: number
  /** Leaving it early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface UpstreamRequest {
  /** Built by us, never the caller's: `/v1/chat/completions`. */
  readonly path: '/v1/chat/completions' | '/v1/completions' | '/v1/embeddings'
  readonly body: string
  readonly stream: boolean
  readonly requestId: string
  /** Told each time that it is sent, also when no answer comes of it. Must not throw. */
  readonly sent?: () => void
}

/** What came back, before relay. Disposing it aborts whatever is still running upstream. */
export interface UpstreamAnswer extends AsyncDisposable {
  /** 200 to 599. */
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  /**
   * The reply is whole, only the end of its body is still to come: the connection may serve again when that comes
   * soon. Disposing aborts nothing then.
   */
  finish(): void
}
