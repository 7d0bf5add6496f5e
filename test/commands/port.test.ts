import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { tryPort } from '../../src/commands/port.ts'

t.test('a port is in use while somebody listens, and free after it; asking takes nothing', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.equal(await tryPort('127.0.0.1', port), 'EADDRINUSE')
  server.close()
  await once(server, 'close')
  t.same([await tryPort('127.0.0.1', port), await tryPort('127.0.0.1', port)], ['free', 'free'])
})

t.test('an address that is not of this machine', async (t) => {
  t.equal(await tryPort('192.0.2.1', 8443), 'EADDRNOTAVAIL')
})
