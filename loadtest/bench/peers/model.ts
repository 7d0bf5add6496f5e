// The simulated model server that all rows share. Replies are fixed, so that the server is cheap and every row relays
// the same bytes; events of a stream come one by one, as a model makes them, and not in bursts that a relay could copy
// in one piece.
//   node loadtest/bench/peers/model.ts PORT
import { startModelServer } from '../../model-server.ts'
import type { RecordedRequest } from '../../simulated/record.ts'
import type { Script } from '../../simulated/script.ts'

const GAP_MS = 2
const WHOLE_CHUNKS = 17
const words =
  'The quick brown fox jumps over the lazy dog and then it writes a long report about it for all'.split(' ')
const chunk = (index: number): string => `${words[index % words.length]} `
/** The text of a stream, event by event. */
export const chunks = (count: number): string[] => Array.from({ length: count }, (_, index) => chunk(index))

const DIMENSIONS = 256
const vector = Array.from({ length: DIMENSIONS }, (_, index) => Math.sin(index + 1) / 8)

export const ECHO = 'echo: '
export const SAY_ADDRESS = 'say an address'

function script({ path, body }: RecordedRequest): Script | undefined {
  if (path === '/v1/embeddings') return embeddings(body)
  if (/"stream":\s*true/.test(body)) {
    const count = Number(/"max_(?:completion_)?tokens":\s*(\d+)/.exec(body)?.[1] ?? 1)
    return { content: chunks(Math.min(count, 1_000)), gapMs: GAP_MS }
  }
  const echoed = body.indexOf(ECHO)
  if (echoed !== -1) return { content: [body.slice(echoed + ECHO.length, body.indexOf('"', echoed))] }
  if (body.includes(SAY_ADDRESS)) return { content: ['write to jane.', 'doe@exam', 'ple.com today'] }
  return { content: chunks(WHOLE_CHUNKS) }
}

function embeddings(body: string): Script {
  const { input } = JSON.parse(body) as { input: readonly string[] }
  const text = JSON.stringify({
    object: 'list',
    model: 'demo',
    data: input.map((_, index) => ({ index, object: 'embedding', embedding: vector })),
    usage: { prompt_tokens: input.length * 100, total_tokens: input.length * 100 },
  })
  return { body: [text], headers: { 'content-length': String(Buffer.byteLength(text)) } }
}

if (import.meta.main) {
  const server = await startModelServer({
    port: Number(process.argv[2]),
    maxModelLen: 1_000_000,
    maxNumSeqs: 4_096,
    // 500 KB each.
    requestsKeptMax: 1,
    script,
  })
  process.once('SIGTERM', () => void server.close())
}
