import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { servers } from '../../src/openai/upstream-body.ts'
import { CacheSalts, takesCacheSalt } from '../../src/upstream/cache-salt.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const other = createSecretKey(Buffer.alloc(32, 8))

t.test('servers that know the field', (t) => {
  t.same(servers.filter(takesCacheSalt), ['vllm', 'sglang'])
  t.end()
})

t.test('the same on every gateway, and after a restart', (t) => {
  t.equal(new CacheSalts().saltOf('acme', 'large'), 'Zmh86TgME49bm-keEG1cOBYoB1Qc_00wsWYHLm4Ew_E')
  t.equal(new CacheSalts({ key }).saltOf('acme', 'large'), 'GYY8W9Nv7pAChmF3tnMRoHww4B2dE16WLbYbVDbLUUc')
  t.equal(new CacheSalts({ key }).saltOf('acme', 'large'), new CacheSalts({ key }).saltOf('acme', 'large'))
  t.not(
    new CacheSalts({ key: other }).saltOf('acme', 'large'),
    new CacheSalts({ key }).saltOf('acme', 'large'),
  )
  t.end()
})

t.test('one for each tenant and pool, in the form that servers take', (t) => {
  const name = fc.oneof(fc.string(), fc.constantFrom('', '1', '1:', 'a', 'a:', ':a', '0:'))
  for (const salts of [new CacheSalts(), new CacheSalts({ key, saltsMax: 3 })]) {
    fc.assert(
      fc.property(name, name, name, name, (tenant, pool, tenant2, pool2) => {
        const [salt, second] = [salts.saltOf(tenant, pool), salts.saltOf(tenant2, pool2)]
        t.match(salt, /^[A-Za-z0-9_-]{43}$/)
        t.equal(salt === second, tenant === tenant2 && pool === pool2)
        t.equal(salts.saltOf(tenant, pool), salt)
      }),
      { numRuns: 300 },
    )
  }
  t.end()
})

t.test('the number that is remembered is bounded, and what is forgotten comes back the same', (t) => {
  const salts = new CacheSalts({ key, saltsMax: 10 })
  const first = salts.saltOf('tenant-0', 'large')
  for (let n = 0; n < 1_000; n++) salts.saltOf(`tenant-${n}`, 'large')
  t.equal(salts.size, 10)
  t.equal(salts.saltOf('tenant-0', 'large'), first)
  t.end()
})
