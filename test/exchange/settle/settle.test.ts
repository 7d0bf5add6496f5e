// What is written down when an exchange is over: quota, audit, metrics and log, each from the trail alone.
import t from 'tap'
import { recordBytesMax } from '../../../src/audit/chain.ts'
import { LocatedFindings, placesMax } from '../../../src/exchange/located-findings.ts'
import type { Gateway } from '../../../src/exchange/parts.ts'
import { close } from '../../../src/exchange/settle/close.ts'
import { countFindings } from '../../../src/exchange/settle/count-findings.ts'
import { observe } from '../../../src/exchange/settle/observe.ts'
import { recordAdmission, recordEnding } from '../../../src/exchange/settle/record-audit.ts'
import { settling } from '../../../src/exchange/settle/settle-quota.ts'
import type { Trail } from '../../../src/exchange/trail.ts'
import type { Limit } from '../../../src/policy/limit.ts'
import { LimitRefusal } from '../../../src/quota/limit-refusal.ts'
import type { Finding } from '../../../src/redaction/finding.ts'
import { FoundList } from '../../../src/redaction/found.ts'
import { Refusal, type RefusalCode } from '../../../src/refusal.ts'
import { limitOf } from '../../quota/simulated-limit.ts'
import {
  callOf,
  FakeAuditLog,
  permitOf,
  policy,
  principal,
  refusalOf,
  targetOf,
  trailOf,
} from '../fake-parts.ts'

/** The signal of an exchange that nothing ends. */
const living = new AbortController().signal

const finding = (entity: string, action: Finding['action'] = 'mask'): Finding => ({
  entity,
  recognizer: 'test',
  action,
  start: 0,
  end: 4,
})
const foundOf = (...findings: Finding[]): LocatedFindings => {
  const found = new FoundList()
  for (const one of findings) found.add(one)
  const located = new LocatedFindings()
  located.addAll('messages[0].content', found)
  return located
}
const relayed = {
  usage: { inputTokens: 3, outputTokens: 4 },
  usageReported: true,
  events: 4,
  found: foundOf(finding('IBAN_CODE')),
  gaps: undefined,
  pseudonyms: { restored: 2, unknown: 1 },
  heldCharsMax: 9,
  outputCut: false,
  scanMs: 0.5,
}

/** An exchange that got as far as a reply. */
function finished(trail: Trail): Trail {
  const call = trail.parsed(callOf({ model: 'demo', stream: true }))
  trail.authenticated(principal)
  trail.permitted(permitOf(call))
  trail.promptFound = foundOf(finding('EMAIL_ADDRESS'), finding('EMAIL_ADDRESS'), finding('US_SSN', 'block'))
  trail.examined([
    { kind: 'known_phrasing', count: 2 },
    { kind: 'invisible_text', count: 1 },
  ])
  trail.reservation = { inputTokens: 10, outputTokens: 20 }
  trail.relayed = relayed
  trail.status = 200
  return trail
}

/** Metrics and log that keep what they are told. */
function observersOf() {
  const counted: unknown[][] = []
  const logged: unknown[][] = []
  const note =
    (list: unknown[][], name: string) =>
    (...parts: unknown[]): void =>
      void list.push([name, ...parts])
  return {
    counted,
    logged,
    policy,
    metrics: {
      limitDecided: note(counted, 'limit'),
      limitRefused: note(counted, 'refused'),
      tokensSettled: note(counted, 'tokens'),
      authFailed: note(counted, 'auth'),
    },
    events: {
      exchangeEnded: note(logged, 'ended'),
      failure: note(logged, 'failure'),
      auditUnhealthy: note(logged, 'audit'),
    },
  }
}
type Observers = Parameters<typeof observe>[1]

t.test('findings are counted by entity and action', (t) => {
  t.same(countFindings('prompt', undefined), [])
  t.same(countFindings('reply', foundOf(finding('A'), finding('B'), finding('A'), finding('A', 'block'))), [
    { entity: 'A', direction: 'reply', action: 'mask', count: 2 },
    { entity: 'B', direction: 'reply', action: 'mask', count: 1 },
    { entity: 'A', direction: 'reply', action: 'block', count: 1 },
  ])
  t.end()
})

t.test('quota is settled with what was metered, with the prompt, or with nothing', async (t) => {
  const told: unknown[] = []
  const reservation = {
    inputTokens: 10,
    outputTokens: 20,
    outputTokensMax: 20,
    decision: { allowed: true, states: [], shadowed: [], by: 'store' },
    settle: async (used: object) => void told.push(used),
  } as const
  const admission = {
    reserve: async () => reservation,
    count: async () => [],
    [Symbol.asyncDispose]: async () => void told.push('left'),
  }
  const settled = async (trail: Trail): Promise<unknown> => {
    told.length = 0
    const settler = settling(admission, trail)
    trail.reserved(await settler.reserve({} as never))
    await settler[Symbol.asyncDispose]()
    t.equal(told[1], 'left')
    return told[0]
  }
  const sent = (code: RefusalCode): Trail => {
    const { trail } = trailOf()
    trail.sent(targetOf())
    trail.failed(new Refusal(code, 'test'))
    return trail
  }
  t.match(await settled(finished(trailOf().trail)), { inputTokens: 3, outputTokens: 4, reported: true })
  t.match(await settled(trailOf().trail), { inputTokens: 0, outputTokens: 0, reported: false })
  t.match(await settled(sent('caller_gone')), { inputTokens: 10, outputTokens: 0 }, 'it was being worked on')
  t.match(await settled(sent('upstream_timeout')), { inputTokens: 10, outputTokens: 0 })
  t.match(await settled(sent('upstream_unavailable')), { inputTokens: 0, outputTokens: 0 })
  const early = trailOf().trail
  early.failed(new Refusal('caller_gone', 'before it was sent'))
  t.match(await settled(early), { inputTokens: 0, outputTokens: 0 })
  told.length = 0
  await settling(admission, trailOf().trail)[Symbol.asyncDispose]()
  t.same(told, ['left'], 'nothing was reserved')
})

t.test('an admission names who and what; the ending what came of it', async (t) => {
  const audit = new FakeAuditLog()
  const trail = finished(trailOf().trail)
  const rules = { audit, auditRequired: true, policy }
  await recordAdmission(trail, rules, living)
  await recordEnding(trail, rules)
  t.match(audit.events, [
    {
      event: 'exchange.admitted',
      request_id: 'id-1',
      policy: policy.hash,
      principal: principal.id,
      tenant: 'acme',
      model: 'demo',
      profile: 'mask',
      reserved_output: 20,
      prompt_findings: [
        { entity: 'EMAIL_ADDRESS', count: 2 },
        { entity: 'US_SSN', action: 'block', count: 1 },
      ],
      injection_signals: [
        { kind: 'known_phrasing', count: 2 },
        { kind: 'invisible_text', count: 1 },
      ],
    },
    { event: 'exchange.ended', outcome: 'completed', status: 200, input_tokens: 3, output_tokens: 4 },
  ])
  t.equal(audit.events[1]?.['principal'], undefined, 'said already')
})

t.test('a record says where values stood and how long they were, in bounded space', async (t) => {
  const audit = new FakeAuditLog()
  const trail = finished(trailOf().trail)
  const long = 'E'.repeat(64)
  const found = new LocatedFindings()
  for (let at = 0; at < 300; at++) {
    const entity = `${long.slice(0, 60)}${at}`
    const one: Finding = { ...finding(entity, 'pseudonymize'), end: at }
    found.addAll(`messages[${at}].${'x'.repeat(200)}`, foundOf(one))
  }
  trail.promptFound = found
  await recordAdmission(trail, { audit, auditRequired: true, policy }, living)
  const [record] = audit.events
  const places = record?.['prompt_places'] as { path: string; length: number }[]
  t.equal(places.length, placesMax)
  t.match(places[7], { entity: /^E{60}7$/, action: 'pseudonymize', path: /^messages\[7\]\.x+$/, length: 7 })
  t.same(Object.keys(places[7] ?? {}).sort(), ['action', 'entity', 'length', 'path'])
  const tallies = record?.['prompt_findings'] as { entity: string; count: number }[]
  t.equal(
    tallies.reduce((sum, { count }) => sum + count, 0),
    300,
    'every one is counted',
  )
  t.match(tallies.at(-1), { entity: '_other', action: 'pseudonymize' })
  t.ok(JSON.stringify(record).length < recordBytesMax - 4_096, 'with room for all else')
})

t.test('an exchange that never was admitted says all in its one record', async (t) => {
  const audit = new FakeAuditLog()
  const { trail } = trailOf()
  trail.authenticated(principal)
  trail.parsed(callOf({ model: 'canary-model' }))
  trail.failed(new Refusal('model_not_found', 'not visible', { param: 'model' }))
  await recordEnding(trail, { audit, auditRequired: true, policy })
  t.match(audit.events, [
    {
      principal: principal.id,
      outcome: 'refused',
      code: 'model_not_found',
      reason: 'not visible',
      param: 'model',
    },
  ])
  t.notMatch(JSON.stringify(audit.events), 'canary', 'a name that no permit confirmed stays out')
  t.notOk('injection_signals' in (audit.events[0] ?? {}), 'nothing was found')
})

t.test('a log that cannot be written stops the exchange, unless the operator said so', async (t) => {
  const audit = new FakeAuditLog()
  audit.broken = true
  const trail = finished(trailOf().trail)
  t.match(
    await refusalOf(() => recordAdmission(trail, { audit, auditRequired: true, policy }, living)),
    'audit_unavailable',
  )
  t.equal(trail.admissionRecorded, false)
  t.equal(
    await refusalOf(() => recordAdmission(trail, { audit, auditRequired: false, policy }, living)),
    'none',
  )
})

t.test(
  'an exchange that ends does not wait for the disk, and says later all that it has not said',
  async (t) => {
    for (const auditRequired of [true, false]) {
      const audit = new FakeAuditLog()
      const gate = Promise.withResolvers<never>()
      const append = audit.append.bind(audit)
      audit.append = () => gate.promise
      const trail = finished(trailOf().trail)
      const life = new AbortController()
      const rules = { audit, auditRequired, policy }
      const recorded = refusalOf(() => recordAdmission(trail, rules, life.signal))
      life.abort(new Refusal('stream_timeout', 'test'))
      t.equal(await recorded, 'stream_timeout test')
      gate.reject(new Error('much later'))
      t.equal(trail.admissionRecorded, false)
      t.equal(await refusalOf(() => recordAdmission(trail, rules, life.signal)), 'stream_timeout test')
      audit.append = append
      await recordEnding(trail, rules)
      t.match(audit.events, [{ event: 'exchange.ended', principal: principal.id, model: 'demo' }])
    }
  },
)

t.test('closing counts once, logs once, and outlives an audit log that fails', async (t) => {
  const audit = new FakeAuditLog()
  audit.broken = true
  const observers = observersOf()
  const { trail, told } = trailOf()
  await close(finished(trail), { ...observers, audit, auditRequired: true } as unknown as Gateway)
  t.equal(told.length, 1)
  t.match(told[0], {
    endpoint: 'chat.completions',
    model: 'demo',
    status: 200,
    outcome: 'completed',
    usage: relayed.usage,
    findings: [{ direction: 'prompt' }, { direction: 'prompt' }, { direction: 'reply', entity: 'IBAN_CODE' }],
    heldCharsMax: 9,
    scanReplyMs: 0.5,
  })
  t.same(
    observers.logged.map(([name]) => name),
    ['ended', 'audit'],
  )
})

t.test('a broken metric does not cost the record', async (t) => {
  const audit = new FakeAuditLog()
  const observers = observersOf()
  observers.events.exchangeEnded = () => {
    throw new Error('broken')
  }
  const { trail } = trailOf()
  await t.rejects(close(finished(trail), { ...observers, audit, auditRequired: true } as unknown as Gateway))
  t.equal(audit.events.length, 1)
})

t.test('a failure is logged with its cause, a refusal is not a failure', (t) => {
  const [broken, refused] = [observersOf(), observersOf()]
  const bug = new TypeError('x')
  const { trail } = trailOf()
  trail.failed(bug)
  observe(trail, broken as unknown as Observers)
  t.same(broken.logged.at(-1), ['failure', bug, 'id-1'])
  const other = trailOf().trail
  other.failed(new Refusal('upstream_error', 'y'))
  observe(other, refused as unknown as Observers)
  t.equal(refused.logged.length, 1)
  t.end()
})

t.test('decisions: what limits said, and at which stage somebody failed', (t) => {
  const counted = (refusal: Refusal): unknown[] => {
    const observers = observersOf()
    const { trail } = trailOf()
    trail.failed(refusal)
    observe(trail, observers as unknown as Observers)
    return observers.counted.flat()
  }
  const decided = (code: RefusalCode, detail = 'x'): unknown[] => counted(new Refusal(code, detail))
  const byLimit = (fields: Partial<Limit>): unknown[] => {
    const state = { limit: limitOf({ name: 'tpm', ...fields }), used: 60, remaining: 0, resetMs: 1 }
    return counted(new LimitRefusal({ state, asked: 1, waitMs: 1 }, [state]))
  }
  t.same(byLimit({}), ['limit', 'requests', 'deny', 'refused', 'tpm', 'enforce'])
  t.same(byLimit({ counts: 'in_flight' }), ['limit', 'in_flight', 'deny', 'refused', 'tpm', 'enforce'])
  t.same(byLimit({ counts: 'total_tokens', per: 'day' }).slice(0, 3), ['limit', 'total_tokens', 'deny'])
  t.same(decided('invalid_certificate'), ['auth', 'mtls', 'x'])
  t.same(decided('missing_token'), ['auth', 'jwt', 'x'])
  t.same(decided('invalid_token', 'binding_required'), ['auth', 'binding', 'binding_required'])
  t.same(decided('insufficient_scope', 'a sentence for the log'), ['auth', 'scope', 'insufficient_scope'])
  t.same(decided('upstream_error'), [])
  t.end()
})
