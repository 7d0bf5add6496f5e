/** What every refusal owes: one answer with constant text, one audit record, one count, and a model server that saw nothing. */
import type { Test } from 'tap'
import { type RefusalCode, refusals } from '../../src/refusal.ts'
import { chatBody, openRaw, type RawConnection, type RawReply, requestText } from './raw-client.ts'
import { type Stack, until } from './stack.ts'

export interface Expected {
  readonly code: RefusalCode
  /** Machine reason in the audit record. */
  readonly reason?: string | RegExp
  /** `closes`: the gateway must end the connection; `stays`: it must be usable. Left out: as the reply says. */
  readonly connection?: 'closes' | 'stays'
}

/** Answers 200 from the model server. */
export const goodCall = (stack: Stack): string => requestText({ token: stack.token(), body: chatBody() })

/** Sends the bytes on a connection of their own and checks all of it. */
export async function refuses(
  t: Test,
  stack: Stack,
  bytes: string | Uint8Array,
  expected: Expected,
): Promise<RawReply> {
  const { code, connection } = expected
  const before = await count(stack)
  const caller = await openRaw(stack)
  try {
    const [reply] = await caller.send(bytes).answered(1)
    if (reply === undefined) throw new Error('the connection was closed without an answer')
    sameRefusal(t, reply, code)
    const closes = reply.headers['connection'] === 'close'
    if (connection !== undefined) t.equal(closes, connection === 'closes', `connection ${connection}`)
    if (closes) t.equal((await caller.cut()).length, 1, 'answered once')
    t.equal(stack.model.stats.requests, before.upstream, 'the model server saw nothing')
    await accountedFor(t, stack, before, reply, expected)
    if (!closes) await stillServes(t, caller, stack)
    t.equal(caller.rest, '', 'no bytes beside the answers')
    return reply
  } finally {
    caller.destroy()
  }
}

/** The reply is the refusal of this code, with nothing in it that a caller could have chosen. */
export function sameRefusal(t: Test, reply: RawReply, code: RefusalCode): void {
  const { status, type, message } = refusals[code]
  t.equal(reply.status, status, `status of ${code}`)
  t.match(reply.headers, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  t.notMatch(reply.head, /^(server|x-powered-by|via|access-control-.*|set-cookie|location):/im)
  const body = JSON.parse(reply.body)
  t.match(body, { error: { message, type, code }, gateway: { source: 'gateway' } })
  t.equal(body.gateway.request_id, reply.headers['x-request-id'])
  t.notMatch(reply.body, /node:|\bat .+:\d+:\d+|Error:|HPE_|FST_/, 'no text of a library')
}

/** A good call on a connection that is open already. */
export async function stillServes(t: Test, caller: RawConnection, stack: Stack): Promise<void> {
  const already = caller.replies.length
  const replies = await caller.send(goodCall(stack)).answered(already + 1)
  t.equal(replies[already]?.status, 200, 'the connection still serves')
  t.equal(replies.length, already + 1)
}

interface Counts {
  readonly upstream: number
  readonly refused: ReadonlyMap<string, number>
}

const count = async (stack: Stack): Promise<Counts> => ({
  upstream: stack.model.stats.requests,
  refused: await refusalCounts(stack),
})

/** What the log says about one exchange, once it says that the exchange has ended. */
export async function recordsOf(stack: Stack, requestId: string): Promise<Record<string, unknown>[]> {
  const records = () => stack.audit().filter(({ request_id }) => request_id === requestId)
  await until(() => records().some(({ event }) => event === 'exchange.ended'))
  return records()
}

async function accountedFor(
  t: Test,
  stack: Stack,
  before: Counts,
  reply: RawReply,
  { code, reason }: Expected,
): Promise<void> {
  const records = await recordsOf(stack, reply.headers['x-request-id'] as string)
  t.equal(records.length, 1, 'one audit record')
  t.match(records[0], { code, status: refusals[code].status, ...(reason === undefined ? {} : { reason }) })
  const after = await refusalCounts(stack)
  const grown = [...after].filter(([name, value]) => value !== (before.refused.get(name) ?? 0))
  t.same(grown, [[code, (before.refused.get(code) ?? 0) + 1]], 'one count')
}

async function refusalCounts(stack: Stack): Promise<ReadonlyMap<string, number>> {
  const lines = (await stack.metrics()).matchAll(/^sallyport_refusals_total\{refusal="([^"]+)"\} (\d+)$/gm)
  return new Map([...lines].map((line) => [line[1] as string, Number(line[2])]))
}
