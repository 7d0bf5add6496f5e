// The simulated model server, with a log of when each token was written: a process of its own, so that neither the driver's
// nor the gateway's work delays what it says.
//   node loadtest/driver/timed-model.ts PORT LOG_PORT
//   GET http://127.0.0.1:LOG_PORT/take   what was sent since the last look, as JSON
import { createServer } from 'node:http'
import { startModelServer } from '../model-server.ts'
import { SentLog } from './sent-log.ts'
import { readPrompt, tokensOf } from './timed-call.ts'

const CALLS_MAX = 200_000
const [port, logPort] = process.argv.slice(2).map(Number)
const log = new SentLog(CALLS_MAX)

const model = await startModelServer({
  ...(port === undefined ? {} : { port }),
  model: 'demo',
  maxNumSeqs: 20_000,
  maxModelLen: 1_000_000,
  requestsKeptMax: 1,
  script: ({ body }) => {
    const { messages, stream } = JSON.parse(body) as { messages?: { content?: unknown }[]; stream?: boolean }
    const order = readPrompt(String(messages?.at(-1)?.content))
    if (order === undefined) return undefined
    const sent = log.arrived(order.id)
    // The first event of a stream names the role, one after the last may hold the usage: they are no tokens.
    const first = stream === true ? 1 : 0
    const gate = (index: number): void => {
      if (index >= first && index < first + order.tokens) sent()
    }
    return { content: tokensOf(order), gapMs: order.gapMs, gate }
  },
})
const looks = createServer((_, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(log.take()))
})
looks.listen(logPort, '127.0.0.1', () => process.stdout.write(`timed model server on ${model.url}\n`))
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    looks.close()
    looks.closeAllConnections()
    void model.close()
  })
