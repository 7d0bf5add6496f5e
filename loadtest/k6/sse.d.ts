/** Event streams for k6, read as they come: loadtest/k6/extension/sse. */
declare module 'k6/x/sse' {
  export interface StreamOptions {
    /** POST when left out. */
    method?: string
    body?: string
    headers?: Record<string, string>
    tags?: Record<string, string>
    /** Statuses that are no failures for `http_req_failed`; 200 when left out. */
    expected?: number[]
    /** 60 000 when left out. */
    timeoutMs?: number
    /** A regular expression (RE2): events that match are counted apart, and the time of the first one is told. */
    mark?: string
    /** Keep the bytes of the stream as text, up to 1 MiB. */
    keepText?: boolean
    /** A slow reader: a pause before each read of `readBytes` (4096); after `readPauses` of them, if given, as others. */
    readPauseMs?: number
    readBytes?: number
    readPauses?: number
  }

  export interface StreamEvent {
    id: string
    name: string
    data: string
    atMs: number
  }

  /** Times are milliseconds since the request began, -1 for what did not happen. */
  export interface StreamOutcome {
    /** 0: no response came. */
    status: number
    /** Names in lower case. */
    headers: Record<string, string>
    events: number
    marks: number
    bytes: number
    headMs: number
    firstMarkMs: number
    lastEventMs: number
    gapMsMax: number
    /** `end`: the body came to its end; `stopped`: the listener returned false; `canceled`: k6 ends the test. */
    ended: 'end' | 'stopped' | 'canceled' | 'timeout' | 'error'
    /** The request went over a connection that another one had used. */
    reused: boolean
    error: string
    /** The data of the last event. */
    last: string
    /** The stream where `keepText` asked for it; always the body of what is no event stream. */
    text: string
  }

  /** Asks, and reads until the end; a listener that returns `false` hangs up. Throws only for wrong options. */
  export function open(
    url: string,
    options?: StreamOptions,
    onEvent?: (event: StreamEvent) => boolean | undefined,
  ): StreamOutcome

  /** What a file holds now: tokens are replaced while a test runs. Throws when it cannot be read. */
  export function readFile(path: string): string
}
