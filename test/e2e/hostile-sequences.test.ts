// The two invariants of plugins/traffic-routes.ts, for any sequence of good and bad requests in any pieces: answers come
// once each and in order, and nothing behind the end of a connection is run.
import fc from 'fast-check'
import t from 'tap'
import { stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())
const token = stack.token()
const body = chatBody()

interface Part {
  readonly bytes: string
  readonly status: number
  /** Nothing behind it may be answered. */
  readonly ends: boolean
}

const part = (status: number, ends: boolean, bytes: string): Part => ({ status, ends, bytes })
const json = 'Content-Type: application/json'
const chunked = (chunks: string): string =>
  `${requestText({ token, headers: [json, 'Transfer-Encoding: chunked'] })}${chunks}`

const parts: readonly Part[] = [
  part(200, false, requestText({ token, body })),
  part(200, false, chunked(`${body.length.toString(16)}\r\n${body}\r\n0\r\nX: y\r\n\r\n`)),
  part(200, false, requestText({ token, method: 'GET', target: '/v1/models' })),
  part(404, false, requestText({ token, method: 'GET', target: '/nope' })),
  part(401, false, requestText({ body })),
  part(400, false, requestText({ token, body: '{' })),
  part(400, true, requestText({ token, body, headers: ['Host: localhost'] })),
  part(400, true, requestText({ token, method: 'GET', target: '/v1/models', body })),
  part(400, true, requestText({ token, method: 'GET', target: 'http://localhost/v1/models' })),
  part(400, true, requestText({ token, method: 'GET', headers: ['Upgrade: h2c'] })),
  part(400, true, chunked('zz\r\n')),
  part(400, true, chunked(`${body.length.toString(16)}\r\n${body}0\r\n\r\n`)),
  part(400, true, 'NOPE / HTTP/1.1\r\n\r\n'),
  part(431, true, requestText({ token, headers: [`X-A: ${'b'.repeat(17_000)}`] })),
  part(400, true, requestText({ token, method: 'CONNECT', target: 'elsewhere.test:443' })),
  part(401, true, requestText({ method: 'CONNECT', target: '/v1/models', body })),
  part(200, true, requestText({ token, body, headers: ['Connection: close'] })),
]

const sequences = fc.record({
  sent: fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 6 }),
  cuts: fc.array(fc.nat(400), { maxLength: 6 }),
})

function pieces(bytes: string, cuts: readonly number[]): string[] {
  const ends = [...cuts, bytes.length].sort((a, b) => a - b)
  return ends.map((end, place) => bytes.slice(ends[place - 1] ?? 0, end)).filter((piece) => piece !== '')
}

t.test('answers are a beginning of what is owed', async (t) => {
  await fc.assert(
    fc.asyncProperty(sequences, async ({ sent, cuts }) => {
      const end = sent.findIndex(({ ends }) => ends)
      const owed = end === -1 ? sent : sent.slice(0, end + 1)
      const before = stack.model.stats.requests
      const caller = await openRaw(stack)
      for (const piece of pieces(sent.map(({ bytes }) => bytes).join(''), cuts)) {
        if (caller.socket.writable) caller.send(piece)
        await new Promise(setImmediate)
      }
      await (end === -1 ? caller.answered(owed.length) : caller.cut())
      caller.destroy()
      const statuses = caller.replies.map(({ status }) => status)
      const expected = owed.map(({ status }) => status)
      const whole = end === -1 ? expected : expected.slice(0, statuses.length)
      const good = owed.filter(({ status, bytes }) => status === 200 && bytes.startsWith('POST')).length
      return (
        statuses.join() === whole.join() &&
        (caller.rest === '' || end !== -1) &&
        stack.model.stats.requests - before <= good
      )
    }),
    { numRuns: 150, seed: 20_261_123 },
  )
  t.pass('150 sequences')
})

t.test('afterwards all is well', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  caller.destroy()
  await until(async () => /^sallyport_requests_in_flight 0$/m.test(await stack.metrics()))
  t.equal(
    stack.log().filter(({ level }) => Number(level) >= 50 || level === 'error').length,
    0,
    'nothing failed',
  )
})
