// One call, each read of its answer stamped before anything looks at it. Nothing is parsed here: what is done between two
// reads would delay the stamps of other calls.
import type { Agent } from 'undici'
import { monotonicMs } from './monotonic-clock.ts'

export interface Target {
  readonly name: string
  readonly url: string
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
}

export interface Receipt {
  readonly atMs: number
  readonly bytes: Buffer
}

/** All times: monotonic milliseconds. */
export interface Received {
  /** Just before the request was handed to the HTTP client. */
  readonly startedMs: number
  readonly endedMs: number
  readonly status: number
  readonly receipts: readonly Receipt[]
  /** Why there is no whole answer. */
  readonly fault: string | undefined
}

/** Makes one call. Never rejects. */
export function call({ url, agent, headers }: Target, body: string): Promise<Received> {
  const { promise, resolve } = Promise.withResolvers<Received>()
  const receipts: Receipt[] = []
  let status = 0
  const startedMs = monotonicMs()
  const end = (fault: string | undefined): void =>
    resolve({ startedMs, endedMs: monotonicMs(), status, receipts, fault })
  agent.dispatch(
    {
      origin: url,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    },
    {
      onRequestStart: () => {},
      onResponseStart: (_, code) => {
        status = code
      },
      onResponseData: (_, chunk) => {
        receipts.push({ atMs: monotonicMs(), bytes: chunk })
      },
      onResponseEnd: () => end(status === 200 ? undefined : `status ${status}`),
      onResponseError: (_, error) => end(`${error.name}: ${error.message}`),
    },
  )
  return promise
}

/** What an answer said, for messages. */
export const textOf = ({ receipts }: Received): string =>
  Buffer.concat(receipts.map(({ bytes }) => bytes)).toString('utf8')
