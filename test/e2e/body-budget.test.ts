// All request bodies together have a bound: above it calls are told to come again, and room that is left is used again.
import t from 'tap'
import { codeOf } from '../support/flow.ts'
import { openRaw, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

const MIB = 1024 * 1024
const stack = await startStack({
  gateway: { traffic: { bounds: { bodiesBytesMax: MIB } } },
  model: { requestBodyBytesMax: 8 * MIB, maxModelLen: 8 * MIB, script: () => ({ content: ['word'] }) },
})
t.teardown(() => stack.stop())
const call = (length: number) => ({
  model: 'demo',
  max_tokens: 5,
  messages: [{ role: 'user', content: 'word '.repeat(length / 5) }],
})

t.test('a body beside one that is not complete', async (t) => {
  const body = JSON.stringify(call(900_000))
  const whole = requestText({ token: stack.token(), body })
  const slow = await openRaw(stack)
  slow.send(whole.slice(0, -10))
  await until(async () => {
    const reply = await stack.post('/v1/chat/completions', call(500_000))
    if (reply.status === 200) {
      await reply.text()
      return false
    }
    t.equal(reply.status, 503)
    t.equal(reply.headers.get('retry-after'), '1')
    t.equal(await codeOf(reply), 'overloaded')
    return true
  })
  t.equal((await stack.post('/v1/chat/completions', call(50))).status, 200, 'a small one still has room')
  slow.socket.destroy()
  await until(async () => (await stack.post('/v1/chat/completions', call(500_000))).status === 200)
})

t.test('one that is larger than the bound is let in when it is alone', async (t) => {
  t.equal((await stack.post('/v1/chat/completions', call(2 * MIB))).status, 200)
})
