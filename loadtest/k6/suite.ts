// Options of a scenario: an open model, so that a slow gateway is asked as often as a quick one; mutual TLS; bounds.
import type { Options, Scenario } from 'k6/options'
import { always, type Thresholds } from './measures.ts'
import { settings } from './settings.ts'

export interface Arrival {
  /** The exported function that makes one call. */
  readonly exec: string
  /** Calls a second. */
  readonly rate: number
  readonly seconds: number
  readonly startSeconds?: number
  /** How long one call takes, for the number of virtual users. */
  readonly callSeconds: number
  readonly tags?: Record<string, string>
}

/** By Little's law so many calls run at one time; three times as many, and some, for a machine that is busy. */
const usersFor = ({ rate, callSeconds }: Arrival): number => Math.ceil(rate * callSeconds * 3) + 10

/** Calls that come at a rate, whether those before were answered or not. */
export function arrival(asked: Arrival): Scenario {
  // A rate of 0.5 is 5 in ten seconds: k6 counts in whole calls.
  const unit = Number.isInteger(asked.rate) ? 1 : 10
  const users = usersFor(asked)
  return {
    executor: 'constant-arrival-rate',
    exec: asked.exec,
    rate: Math.max(1, Math.round(asked.rate * unit)),
    timeUnit: `${unit}s`,
    duration: `${asked.seconds}s`,
    startTime: `${asked.startSeconds ?? 0}s`,
    preAllocatedVUs: users,
    maxVUs: users,
    gracefulStop: '60s',
    tags: asked.tags ?? {},
  }
}

export function suite(
  scenarios: { [name: string]: Scenario },
  thresholds: Thresholds,
  more: Partial<Options> = {},
): Options {
  return {
    scenarios,
    thresholds: { ...always, ...thresholds },
    tlsAuth: settings.certificates.map(({ cert, key }) => ({ cert: open(cert), key: open(key) })),
    tlsVersion: { min: 'tls1.2', max: 'tls1.3' },
    discardResponseBodies: false,
    summaryTrendStats: ['count', 'avg', 'med', 'p(95)', 'p(99)', 'max'],
    setupTimeout: '30s',
    teardownTimeout: '60s',
    ...more,
  }
}
