import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startStack } from './stack.ts'

const openServers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length

t.test('a stack that cannot start leaves nothing open', async (t) => {
  const before = openServers()
  await t.rejects(startStack({ gateway: { traffic: { port: -1 } } }), /port/)
  await t.rejects(startStack({ gateway: { probes: { host: '192.0.2.1' } } }), /EADDRNOTAVAIL/)
  // A closed handle leaves the list some turns later.
  for (let turns = 0; turns < 100 && openServers() > before; turns += 1) await delay(10)
  t.equal(openServers(), before)
})
