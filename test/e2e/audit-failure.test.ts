// The audit log cannot be written: exchanges are refused, or served where the operator chose so; the gateway says that
// it is not ready and comes back by itself, without a request to wake it.
import { renameSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../src/audit/verify.ts'
import { callerOf, codeOf, HeldModel, linesOf, recordsOf } from '../support/flow.ts'
import { endOf, samplesOf } from '../support/scene.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

async function stage(t: Test, onWriteFailure: 'refuse' | 'continue') {
  const held = new HeldModel()
  const stack = await startStack({
    model: { script: held.script },
    // The smallest segment: the next one is begun soon, and cannot be where the folder is gone.
    gateway: { audit: { onWriteFailure, segmentBytesMax: 65_536 } },
  })
  const caller = callerOf(stack)
  const [folder, away] = [join(stack.folder, 'audit'), join(stack.folder, 'away')]
  t.teardown(async () => {
    held.release()
    await caller.close()
    await stack.stop()
  })
  return {
    stack,
    held,
    caller,
    takeAway: () => renameSync(folder, away),
    bringBack: () => renameSync(away, folder),
  }
}

const ready = async ({ probes }: Stack): Promise<number> => (await fetch(`${probes}/readyz`)).status
const sample = async (stack: Stack, name: string): Promise<number | undefined> =>
  samplesOf(await stack.metrics()).get(name)

t.test('refuse: nobody is served without a record, and it heals by itself', async (t) => {
  const { stack, held, caller, takeAway, bringBack } = await stage(t, 'refuse')
  const stream = await caller.stream()
  takeAway()
  const seen = new Set<number>()
  await until(async () => {
    const { status } = await caller.chat()
    seen.add(status)
    return status !== 200
  }, 15_000)
  t.same([...seen], [200, 503])
  const before = stack.model.stats.requests
  const refused = await caller.chat()
  t.equal(refused.status, 503)
  t.ok(Number(refused.headers.get('retry-after-ms') ?? 0) >= 0)
  t.equal(await codeOf(refused), 'audit_unavailable')
  t.equal(stack.model.stats.requests, before, 'no model server was asked')
  t.equal(await ready(stack), 503)
  t.equal((await fetch(`${stack.probes}/livez`)).status, 200)
  t.equal(await sample(stack, 'sallyport_audit_healthy'), 0)
  t.ok(Number(await sample(stack, 'sallyport_audit_write_failures_total')) > 0)

  held.release()
  t.equal(await stream.end, 'ended')
  t.equal(endOf(stream.text()), '[DONE]', 'who was admitted is served to the end')

  const calls = stack.model.stats.requests
  bringBack()
  await until(async () => (await ready(stack)) === 200)
  t.equal(stack.model.stats.requests, calls, 'no request woke it')
  t.equal(linesOf(stack, 'audit.recovered').length, 1)
  t.equal((await caller.chat()).status, 200)
  const [recovered] = recordsOf(stack, 'log.recovered')
  t.match(recovered, { reason: 'write_failed', error: 'ENOENT' })
  await stack.gateway.close()
  const report = await verifyLog(join(stack.folder, 'audit'))
  t.match(report, { intact: true, warningCount: 0 })
})

t.test('continue: callers are served, and what could not be recorded is counted', async (t) => {
  const { stack, caller, takeAway, bringBack } = await stage(t, 'continue')
  takeAway()
  await until(async () => {
    const { status } = await caller.chat()
    if (status !== 200) t.fail(String(status))
    return (await sample(stack, 'sallyport_audit_healthy')) === 0
  }, 15_000)
  t.equal((await caller.chat()).status, 200)
  bringBack()
  await until(async () => (await sample(stack, 'sallyport_audit_healthy')) === 1)
  t.ok(Number(recordsOf(stack, 'log.recovered')[0]?.['rejected_records']) > 0)
})

t.test('it ends in order although the folder is gone', async (t) => {
  const { stack, takeAway, bringBack } = await stage(t, 'refuse')
  takeAway()
  await stack.gateway.close()
  t.equal(linesOf(stack, 'gateway.stopped').length, 1)
  bringBack()
})

/** From now on no write to a file of this process comes back until the disk is released. */
async function hangDisk(): Promise<() => void> {
  const any = await open('/dev/null')
  const prototype = Object.getPrototypeOf(any) as FileHandle
  await any.close()
  const { write } = prototype
  const gate = Promise.withResolvers<void>()
  prototype.write = async function (this: FileHandle, ...what: Parameters<typeof write>) {
    await gate.promise
    return await write.apply(this, what)
  } as typeof write
  return () => {
    prototype.write = write
    gate.resolve()
  }
}

t.test('a disk that hangs holds nobody longer than the exchange may last', async (t) => {
  const stack = await startStack({
    gateway: {
      traffic: {
        bounds: { headersTimeoutMs: 900, bodyTimeoutMs: 900 },
        stream: {
          totalTimeoutMs: 1_000,
          firstByteTimeoutMs: 900,
          idleTimeoutMs: 900,
          slowReaderTimeoutMs: 900,
        },
      },
    },
    policies: { roles: { app: { limits: { inFlight: 2 } } } },
  })
  const caller = callerOf(stack)
  const release = await hangDisk()
  t.teardown(async () => {
    release()
    await caller.close()
    await stack.stop()
  })
  const answers = await Promise.all([caller.chat(), caller.chat()])
  t.same(
    answers.map(({ status }) => status),
    [504, 504],
  )
  t.equal(await codeOf(answers[0] as Response), 'stream_timeout')
  const next = await caller.chat()
  t.equal(next.status, 504, 'their slots are free: it is the disk that it waits for, not a slot')
  t.equal(stack.model.stats.requests, 0)
  release()
  await until(async () => (await caller.chat()).status === 200)
  await until(
    () => recordsOf(stack, 'exchange.ended').filter(({ code }) => code === 'stream_timeout').length === 3,
  )
})
