// Callers who ask and do not read: the reply waits for a bounded time, then the connection is cut, and the model server
// stops working for nobody.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { floodModelLen, floodTokens, forFloods } from '../support/floods.ts'
import { stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, type RawConnection, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

let script: Script | undefined
const stack = await startStack({
  ...forFloods,
  model: { script: () => script, maxModelLen: floodModelLen },
  gateway: { traffic: { stream: { slowReaderTimeoutMs: 400 } } },
})
t.teardown(() => stack.stop())

const token = stack.token()

const lastEnding = async (code: string): Promise<Record<string, unknown> | undefined> => {
  const find = () =>
    stack.audit().findLast((record) => record['event'] === 'exchange.ended' && record['code'] === code)
  await until(() => find() !== undefined, 15_000)
  return find()
}

/** A caller that asks and then reads nothing. */
async function deafCall(fields: Record<string, unknown>): Promise<RawConnection> {
  const caller = await openRaw(stack)
  caller.send(requestText({ token, body: chatBody({ max_tokens: floodTokens, ...fields }) }))
  caller.socket.pause()
  return caller
}

t.test('a caller that does not read its stream is cut, and the model server hears of it', async (t) => {
  script = { content: Array<string>(2_500).fill('word '.repeat(800)), end: { after: 2_400, how: 'stall' } }
  const aborted = stack.model.stats.aborted.decode
  const caller = await deafCall({ stream: true })
  t.match(await lastEnding('slow_reader'), { outcome: 'timeout' })
  await until(() => stack.model.stats.aborted.decode > aborted)
  caller.socket.resume()
  await caller.cut()
  t.notMatch(caller.rest, '[DONE]')
  script = undefined
})

t.test('a caller that does not read a whole reply is cut', async (t) => {
  script = { content: ['word '.repeat(1_400_000)] }
  const before = stack.audit().filter((record) => record['code'] === 'slow_reader').length
  const caller = await deafCall({})
  await until(
    () => stack.audit().filter((record) => record['code'] === 'slow_reader').length > before,
    15_000,
  )
  caller.socket.resume()
  await caller.cut()
  t.same(caller.replies, [], 'it never became whole')
  script = undefined
})

t.test('afterwards all is well', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  caller.destroy()
  t.match(await stack.metrics(), /^sallyport_requests_in_flight 0$/m)
})
