import t, { type Test } from 'tap'
import { DnsAnswers } from '../../../src/upstream/discovery/dns-answers.ts'
import { SimulatedDns } from '../../support/simulated-dns.ts'

const name = 'vllm.test'

async function open(t: Test, timeoutMs = 150): Promise<{ dns: SimulatedDns; answers: DnsAnswers }> {
  const dns = await SimulatedDns.open()
  t.teardown(() => dns[Symbol.asyncDispose]())
  return { dns, answers: new DnsAnswers({ servers: [dns.server], timeoutMs, tries: 1 }) }
}

t.test('addresses of both families, with the smallest TTL', async (t) => {
  const { dns, answers } = await open(t)
  dns.set('A', name, { records: ['10.0.0.1', '10.0.0.2'], ttlSeconds: 7 })
  dns.set('AAAA', name, { records: ['fd00::7'], ttlSeconds: 9 })
  t.same(await answers.addresses(name, 'ipv4'), {
    result: 'found',
    items: ['10.0.0.1', '10.0.0.2'],
    ttlMs: 7_000,
  })
  t.same(await answers.addresses(name, 'ipv6'), { result: 'found', items: ['fd00::7'], ttlMs: 9_000 })
})

t.test('nothing is cached: each question reaches the server', async (t) => {
  const { dns, answers } = await open(t)
  dns.set('A', name, { records: ['10.0.0.1'], ttlSeconds: 3_600 })
  await answers.addresses(name, 'ipv4')
  dns.set('A', name, { records: ['10.0.0.2'], ttlSeconds: 3_600 })
  t.match(await answers.addresses(name, 'ipv4'), { items: ['10.0.0.2'] })
  t.same(dns.asked, [`A ${name}`, `A ${name}`])
})

t.test('names that are not there, and servers that do not say', async (t) => {
  const { dns, answers } = await open(t)
  const asked = async () => await answers.addresses(name, 'ipv4')
  t.same(await asked(), { result: 'none' }, 'no such record')
  dns.set('A', name, 'nxdomain')
  t.same(await asked(), { result: 'none' }, 'no such name')
  dns.set('A', name, 'servfail')
  t.same(await asked(), { result: 'failed', code: 'ESERVFAIL' })
  dns.set('A', name, 'refused')
  t.same(await asked(), { result: 'failed', code: 'EREFUSED' })
  dns.set('A', name, 'silence')
  t.same(await asked(), { result: 'failed', code: 'ETIMEOUT' })
  dns.set('A', name, 'junk')
  t.match(await asked(), { result: 'failed' })
  dns.set('A', name, { records: ['10.0.0.9'] })
  t.match(await asked(), { result: 'found' }, 'and it can be asked again')
})

t.test('a slow answer within the time', async (t) => {
  const { dns, answers } = await open(t, 5_000)
  dns.set('A', name, { records: ['10.0.0.1'], delayMs: 60 })
  t.match(await answers.addresses(name, 'ipv4'), { result: 'found' })
})

t.test('a thousand records come over TCP', async (t) => {
  const { dns, answers } = await open(t, 5_000)
  const records = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`)
  dns.set('A', name, { records })
  const answer = await answers.addresses(name, 'ipv4')
  t.equal(answer.result === 'found' && new Set(answer.items).size, 1_000)
  t.equal(dns.overTcp, 1)
})

t.test('services', async (t) => {
  const { dns, answers } = await open(t)
  const service = '_http._tcp.vllm.test'
  dns.set('SRV', service, {
    records: [
      { target: 'pod-0.vllm.test', port: 8_000, priority: 1, weight: 5 },
      { target: '', port: 1 },
      { target: 'pod-1.vllm.test', port: 0 },
    ],
  })
  t.same(await answers.services(service), {
    result: 'found',
    items: [{ target: 'pod-0.vllm.test', port: 8_000, priority: 1, weight: 5 }],
    ttlMs: undefined,
  })
  dns.set('SRV', service, { records: [{ target: '', port: 0 }] })
  t.same(await answers.services(service), { result: 'none' }, 'the service that is decidedly not there')
  dns.set('SRV', service, 'servfail')
  t.same(await answers.services(service), { result: 'failed', code: 'ESERVFAIL' })
})

t.test('cancel ends what is under way', async (t) => {
  const { dns, answers } = await open(t, 60_000)
  dns.set('A', name, 'silence')
  const asked = answers.addresses(name, 'ipv4')
  answers.cancel()
  t.same(await asked, { result: 'failed', code: 'ECANCELLED' })
})
