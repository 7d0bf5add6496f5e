// A gateway ends while callers wait for a place at its servers: their turn comes as before, and who still waits at the
// deadline is told to come again, with nothing taken from the model server.
import t, { type Test } from 'tap'
import { callerOf, codeOf, HeldModel, linesOf, recordsOf } from '../support/flow.ts'
import { endOf, samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

async function stage(t: Test, drain: object) {
  const held = new HeldModel()
  const stack = await startStack({
    model: { script: held.script },
    models: { pools: { gpu: { connectionsMax: 1 } } },
    gateway: { drain },
  })
  const caller = callerOf(stack)
  t.teardown(async () => {
    held.release()
    await caller.close()
    await stack.stop()
  })
  const holder = await caller.stream()
  const before = stack.model.stats.requests
  const calls = [caller.chat(), caller.chat(), caller.chat()]
  await until(
    async () => samplesOf(await stack.metrics()).get('sallyport_upstream_waiting{pool="gpu"}') === 3,
  )
  return { stack, held, holder, calls, before }
}

t.test('those who wait have their turn while the gateway drains', async (t) => {
  const { stack, held, holder, calls } = await stage(t, { delayMs: 0, deadlineMs: 20_000 })
  const closing = stack.gateway.close()
  await until(() => linesOf(stack, 'drain.started').length === 1)
  held.release()
  const replies = await Promise.all(calls)
  t.same(
    replies.map(({ status, headers }) => [status, headers.get('connection')]),
    Array(3).fill([200, 'close']),
  )
  await Promise.all(replies.map((reply) => reply.text()))
  await holder.end
  t.equal(endOf(holder.text()), '[DONE]')
  await closing
  t.match(linesOf(stack, 'drain.ended').at(-1), { cut: 0 })
})

t.test('who still waits at the deadline gets 503 draining, and the model server never saw it', async (t) => {
  const { stack, holder, calls, before } = await stage(t, { delayMs: 0, deadlineMs: 300 })
  await stack.gateway.close()
  const replies = await Promise.all(calls)
  t.same(
    replies.map(({ status }) => status),
    [503, 503, 503],
  )
  t.same(await Promise.all(replies.map(codeOf)), Array(3).fill('draining'))
  await holder.end
  t.equal(endOf(holder.text()), 'draining')
  t.equal(stack.model.stats.requests, before)
  t.same(
    recordsOf(stack, 'exchange.ended').map(({ code }) => code),
    Array(4).fill('draining'),
  )
  t.match(linesOf(stack, 'drain.ended').at(-1), { cut: 4 })
})
