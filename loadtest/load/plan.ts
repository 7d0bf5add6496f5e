// The scenarios: what each is about, what it runs against, how fast and how long by itself, and what is done meanwhile.
// Rates are what two shared cores carry with callers, gateway and model server on them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, redisOutage, rollingRestart } from './faults.ts'
import { plantedValues } from './planted.ts'
import { lengthsOf } from './prompts.ts'
import { rotation } from './rotation.ts'
import type { StageOptions } from './stage.ts'

export interface Plan {
  readonly about: string
  /** Calls a second. */
  readonly rate: number
  readonly seconds: number
  /** Less says nothing, or cannot be done. */
  readonly secondsMin?: number
  readonly stage: StageOptions
  /** Waits before the first call. */
  readonly settleMs?: number
  readonly facts?: Readonly<Record<string, number>>
  /** Files for k6, made before the stage is. */
  readonly files?: (folder: string) => Readonly<Record<string, string>>
  readonly fault?: Fault
  /** Handles and memory of the gateways must stay where they are; needs minutes. */
  readonly levels?: boolean
}

/** Four tenants, four kinds of callers. */
const mix = [
  { tenant: 'acme', role: 'app', weight: 4 },
  { tenant: 'globex', role: 'app', weight: 3 },
  { tenant: 'globex', role: 'analyst', weight: 2 },
  { tenant: 'initech', role: 'batch', weight: 1 },
]
const one = { callers: mix, gateways: 1 } as const
const two = { callers: mix, gateways: 2 } as const

const app = (tenant: string) => ({ tenant, role: 'app', weight: 1 })

const jsonFile = (folder: string, name: string, value: unknown): string => {
  const path = join(folder, `${name}.json`)
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 })
  return path
}

const say = (port: number): readonly string[] => ['loadtest/load/saying-server.ts', String(port)]

/** A budget begins anew at midnight: in this zone that is twelve hours away. */
function farFromMidnight(): string {
  const offset = new Date().getUTCHours() - 12
  return offset === 0 ? 'UTC' : `Etc/GMT${offset > 0 ? '+' : '-'}${Math.abs(offset)}`
}

const quota = { calls: 60, tokens: 3_000, reservedTokens: 400 }
const budget = (counts: string, amount: number, tenant: string) => ({
  counts,
  per: 'day',
  amount,
  by: ['tenant'],
  where: { tenants: [tenant] },
  timeZone: farFromMidnight(),
})
const metered = { perMinute: 600, burst: 20 }

/** A reply that no buffer of the system holds. */
const longReplies = { outputTokensMax: 1_000_000 }

export const plans: Readonly<Record<string, Plan>> = {
  smoke: { about: 'everything once, and what has to be refused', rate: 5, seconds: 10, stage: one },
  steady: { about: 'the usual load, four tenants, three roles', rate: 20, seconds: 60, stage: one },
  ramp: {
    about: 'eight steps up to eight times the rate: where the knee is',
    rate: 10,
    seconds: 80,
    secondsMin: 16,
    stage: { ...one, overload: true },
  },
  spike: {
    about: 'ten times the rate for a sixth of the time: what is refused, and whether all is well afterwards',
    rate: 5,
    seconds: 60,
    secondsMin: 12,
    stage: { ...one, overload: true },
  },
  soak: {
    about: 'the usual load for long: memory and handles stay where they are',
    rate: 15,
    seconds: 600,
    stage: one,
    levels: true,
  },
  'long-prompts': {
    about: 'lengths of prompts and replies of the Azure traces',
    rate: 4,
    seconds: 60,
    stage: { ...one, model: say },
    files: (folder) => ({
      lengths: jsonFile(folder, 'lengths', [...lengthsOf('code', 500), ...lengthsOf('conversation', 500)]),
    }),
  },
  'noisy-neighbor': {
    about: 'one tenant at ten times its share of a full pool: the others do not notice',
    rate: 2,
    seconds: 60,
    stage: {
      callers: [app('quiet-1'), app('quiet-2'), app('noisy')],
      gateways: 1,
      rules: { pool: { connectionsMax: 8, queue: { waitingPerTenantMax: 16, waitMsMax: 10_000 } } },
    },
  },
  'quota-exactness': {
    about: 'two gateways share budgets in Redis: exactly as many calls pass, never more tokens',
    rate: 30,
    seconds: 20,
    stage: {
      callers: [app('calls'), app('tokens')],
      gateways: 2,
      redis: true,
      rules: {
        limits: {
          'budget-calls': budget('requests', quota.calls, 'calls'),
          'budget-tokens': budget('total_tokens', quota.tokens, 'tokens'),
        },
      },
    },
    facts: quota,
  },
  'slow-reader': {
    about: 'callers who read slowly, and some who stop: the others do not notice',
    rate: 6,
    seconds: 60,
    secondsMin: 10,
    stage: { ...one, model: say, stream: { slowReaderTimeoutMs: 3_000 }, rules: longReplies },
    facts: longReplies,
  },
  'caller-abort': {
    about: 'callers who hang up before the first token and within streams: nothing of them stays',
    rate: 20,
    seconds: 60,
    stage: one,
  },
  'rolling-restart': {
    about: 'two gateways behind HAProxy are restarted one after the other: no stream is cut, no call fails',
    rate: 10,
    seconds: 45,
    secondsMin: 30,
    stage: { ...two, haproxy: true },
    fault: rollingRestart,
  },
  'certificate-rotation': {
    about: 'server certificate, client authority and token key are replaced: no call fails',
    rate: 8,
    seconds: 45,
    secondsMin: 20,
    stage: two,
    fault: rotation,
  },
  'redis-outage': {
    about: 'Redis dies and comes back empty: calls go on, and limits stay within their bound',
    rate: 20,
    seconds: 45,
    secondsMin: 18,
    stage: {
      callers: [app('metered'), { ...app('free'), role: 'analyst' }],
      gateways: 2,
      redis: true,
      rules: {
        limits: {
          shared: {
            counts: 'requests',
            per: 'minute',
            amount: metered.perMinute,
            burst: metered.burst,
            by: ['tenant'],
            where: { tenants: ['metered'] },
          },
        },
      },
    },
    // A gateway that has just started has no part of a limit until the others have heard of it: three heartbeats.
    settleMs: 7_000,
    facts: metered,
    fault: redisOutage,
  },
  'redaction-boundary': {
    about: 'secrets in replies, cut at any place over events: none leaves',
    rate: 15,
    seconds: 30,
    stage: {
      callers: [app('acme'), { tenant: 'acme', role: 'unscreened', weight: 1 }],
      gateways: 1,
      model: (port, folder) => [...say(port), join(folder, 'planted.json')],
    },
    files: (folder) => ({ planted: jsonFile(folder, 'planted', plantedValues(8)) }),
  },
}
