// The invariants of the reloader, with a real folder and a configuration that is applied to nothing.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/load.ts'
import { Reloader } from '../../src/gateway/reloader.ts'
import { until } from '../support/stack.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const good = folder.read('policies.yaml')
const started = await folder.load()

/** Makes a policy that no one before had. */
let versions = 0
function newPolicy(): void {
  versions += 1
  folder.edit('policies.yaml', (policies) => {
    const { roles } = policies as { roles: { app: { limits: object } } }
    Object.assign(roles.app.limits, { requestsPerMinute: 10_000 + versions })
  })
}

interface Recorded {
  readonly applied: string[]
  readonly results: string[]
  readonly problems: string[]
  readonly audited: string[]
  renewals: number
  overlaps: number
}

function make(
  options: { pollMs?: number; applyMs?: () => number; fails?: () => boolean; auditFails?: boolean } = {},
) {
  const seen: Recorded = { applied: [], results: [], problems: [], audited: [], renewals: 0, overlaps: 0 }
  let applying = 0
  const reloader = new Reloader(started, {
    source: folder.source,
    clock: systemClock,
    metrics: { configReloaded: (result) => void seen.results.push(result) },
    events: {
      configReloaded: () => {},
      configRejected: (problems) => void seen.problems.push(...problems),
    },
    audit: {
      append: async (event) => {
        if (options.auditFails) throw new Error('simulated')
        seen.audited.push(String(event['policy']))
        return { ...event, v: 1, seq: 1, prev: '', hash: '' }
      },
    },
    apply: async (config: Config) => {
      applying += 1
      if (applying > 1) seen.overlaps += 1
      await delay(options.applyMs?.() ?? 0)
      applying -= 1
      if (options.fails?.()) throw new Error('cannot be applied')
      seen.applied.push(config.hash)
    },
    renew: () => {
      seen.renewals += 1
    },
    watch: { debounceMs: 5, pollMs: options.pollMs ?? 3_600_000 },
  })
  t.teardown(() => reloader.close())
  return { reloader, seen }
}

t.afterEach(() => folder.put('policies.yaml', good))

t.test('what it starts with is what the folder holds now, not what was given', async (t) => {
  newPolicy()
  const { reloader, seen } = make()
  const config = await reloader.start()
  t.not(config.hash, started.hash)
  t.same(seen.applied, [config.hash])
  await reloader.close()
})

t.test('it starts with what was given when the folder has gone bad since', async (t) => {
  folder.put('policies.yaml', '{')
  const { reloader, seen } = make()
  t.equal((await reloader.start()).hash, started.hash)
  t.same(seen.applied, [started.hash])
  newPolicyAfter()
  await until(() => seen.applied.length === 2)
  await reloader.close()
})

function newPolicyAfter(): void {
  folder.put('policies.yaml', good)
  newPolicy()
}

t.test('a start that cannot be applied throws, and a reload waits for it', async (t) => {
  let failing = true
  const { reloader, seen } = make({ fails: () => failing })
  const start = reloader.start()
  const reload = reloader.reload()
  await t.rejects(start, /cannot be applied/)
  failing = false
  await reload
  t.equal(seen.overlaps, 0)
  await reloader.close()
})

t.test(
  'an invalid configuration is not applied, is told with its place, and files are renewed',
  async (t) => {
    const { reloader, seen } = make()
    await reloader.start()
    folder.put('policies.yaml', good.replace('"refuse"', '"perhaps"'))
    await until(() => seen.results.length === 1)
    t.same(seen.results, ['rejected'])
    t.match(seen.problems[0], /policies\.yaml:\d+:\d+ unknownFields/)
    t.equal(seen.renewals, 1)
    t.same(seen.applied, [started.hash])
    t.same(seen.audited, [])
    await reloader.close()
  },
)

t.test(
  'one that cannot be applied counts as refused, and is tried again when a file of its own changes',
  async (t) => {
    let failing = false
    const { reloader, seen } = make({ fails: () => failing })
    await reloader.start()
    failing = true
    folder.put('more.json', '{"revoked":[]}')
    folder.edit('gateway.yaml', (gateway) =>
      Object.assign((gateway as { identity: object }).identity, { revocations: 'more.json' }),
    )
    await until(() => seen.results.includes('rejected'))
    t.match(seen.problems, ['cannot be applied'])
    t.equal(seen.renewals, 1)
    failing = false
    folder.put('more.json', '{"revoked":[ ]}')
    await until(() => seen.results.includes('applied'))
    await reloader.close()
    folder.edit('gateway.yaml', (gateway) =>
      Object.assign((gateway as { identity: object }).identity, { revocations: 'revocations.json' }),
    )
  },
)

t.test('a change that runs is not called refused because it could not be recorded', async (t) => {
  const { reloader, seen } = make({ auditFails: true })
  await reloader.start()
  newPolicy()
  await until(() => seen.results.length === 1)
  t.same(seen.results, ['applied'])
  t.equal(seen.applied.length, 2)
  await reloader.close()
})

t.test('however many ask while one runs, one more follows', async (t) => {
  const { reloader, seen } = make({ applyMs: () => 20 })
  await reloader.start()
  const first = reloader.reload()
  await delay(15)
  const rest = Array.from({ length: 50 }, () => reloader.reload())
  await Promise.all([first, ...rest])
  t.equal(seen.applied.length, 3, 'the start, the first, and one for the fifty')
  t.equal(seen.overlaps, 0)
  await reloader.close()
})

t.test('nothing happens after the end', async (t) => {
  const { reloader, seen } = make()
  await reloader.start()
  const late = reloader.reload()
  await reloader.close()
  await late
  const { length } = seen.applied
  newPolicy()
  await reloader.reload()
  await delay(50)
  t.equal(seen.applied.length, length)
})

t.test(
  'property: what runs last is what the folder holds last, and only whole configurations run',
  async (t) => {
    const step = fc.oneof(
      fc.constant('policy' as const),
      fc.constant('broken' as const),
      fc.constant('ask' as const),
      fc.record({ waitMs: fc.integer({ min: 0, max: 12 }) }),
    )
    const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      folder.put('policies.yaml', good)
      let now = 0
      const { reloader, seen } = make({ applyMs: () => (now = (now + 7) % 11) })
      await reloader.start()
      const valid = new Set([started.hash, ...seen.applied])
      for (const each of steps) {
        if (each === 'policy') {
          folder.put('policies.yaml', good)
          newPolicy()
          valid.add((await folder.load()).hash)
        } else if (each === 'broken') folder.put('policies.yaml', '{')
        else if (each === 'ask') void reloader.reload()
        else await delay(each.waitMs)
      }
      folder.put('policies.yaml', good)
      newPolicy()
      const last = (await folder.load()).hash
      valid.add(last)
      await until(() => seen.applied.at(-1) === last)
      await reloader.close()
      assert.equal(seen.overlaps, 0)
      assert.deepEqual(
        seen.applied.filter((hash) => !valid.has(hash)),
        [],
      )
      assert.equal(seen.results.filter((result) => result === 'applied').length, seen.audited.length)
      assert.equal(seen.results.filter((result) => result === 'rejected').length, seen.renewals)
    })
    await t.resolves(fc.assert(property, { numRuns: 12 }))
  },
)
