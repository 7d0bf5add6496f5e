/**
 * A recognizer service that speaks Presidio's `POST /analyze` over real sockets, and knows a handful of names. It counts
 * as Python does, by code points. As a process of its own: `node test/support/simulated-analyzer.ts`.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** What Presidio's REST service takes. */
export interface AnalyzeRequest {
  readonly text: string
  readonly language: string
  readonly score_threshold: number
  readonly entities?: readonly string[]
}

/** Answers in its place; `request` is what was asked. */
export type Answer = (response: ServerResponse, request: AnalyzeRequest) => unknown

export interface SimulatedAnalyzer extends AsyncDisposable {
  readonly url: string
  /** What it was asked, oldest first. */
  readonly asked: (AnalyzeRequest & { readonly headers: IncomingMessage['headers'] })[]
  answer: Answer
}

const names: Readonly<Record<string, RegExp>> = {
  PERSON: /\b(?:Ada Lovelace|Grace Hopper|Zaphod)\b/g,
  LOCATION: /\b(?:London|Betelgeuse)\b/g,
}

const codePoints = (text: string): number => [...text].length

/** What the service finds, as Presidio writes it. */
export const analyzed = ({ text, entities, score_threshold }: AnalyzeRequest): object[] =>
  Object.entries(names)
    .filter(([name]) => (entities?.includes(name) ?? true) && score_threshold <= 0.85)
    .flatMap(([name, pattern]) =>
      [...text.matchAll(pattern)].map(({ 0: found, index }) => ({
        analysis_explanation: null,
        entity_type: name,
        start: codePoints(text.slice(0, index)),
        end: codePoints(text.slice(0, index + found.length)),
        score: 0.85,
        recognition_metadata: { recognizer_name: 'Simulated' },
      })),
    )

/** Sends JSON. */
export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

const honest: Answer = (response, request) => json(analyzed(request))(response, request)

interface Tls {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export async function startSimulatedAnalyzer(
  options: { readonly answer?: Answer; readonly tls?: Tls; readonly port?: number } = {},
): Promise<SimulatedAnalyzer> {
  const listener: RequestListener = async (request, response) => {
    response.on('error', () => undefined)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.method !== 'POST' || request.url !== '/analyze') {
      json({ error: 'no' }, 404)(response, nobody)
      return
    }
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as AnalyzeRequest
    analyzer.asked.push({ ...asked, headers: request.headers })
    analyzer.answer(response, asked)
  }
  const { tls } = options
  const server =
    tls === undefined ? createServer(listener) : createTlsServer({ ...tls, requestCert: true }, listener)
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const analyzer: SimulatedAnalyzer = {
    url: tls === undefined ? `http://127.0.0.1:${port}/analyze` : `https://localhost:${port}/analyze`,
    asked: [],
    answer: options.answer ?? honest,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return analyzer
}

const nobody: AnalyzeRequest = { text: '', language: 'en', score_threshold: 0 }

if (import.meta.main) {
  const { url } = await startSimulatedAnalyzer()
  process.stdout.write(`simulated analyzer on ${url}\n`)
}
