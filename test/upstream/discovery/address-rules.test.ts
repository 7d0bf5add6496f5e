import fc from 'fast-check'
import t from 'tap'
import { addressFault } from '../../../src/upstream/discovery/address-rules.ts'

const name = 'vllm.llm.svc.cluster.local'

t.test('where model servers live', (t) => {
  for (const address of [
    '10.0.0.7',
    '172.16.3.4',
    '192.168.1.1',
    '100.64.0.1',
    '203.0.113.9',
    'fd00::7',
    '2a00::1',
    '::ffff:10.0.0.7',
    '64:ff9b::0a00:0007',
  ])
    t.equal(addressFault(address, name), undefined, address)
  t.end()
})

t.test('where no name may lead', (t) => {
  const table = {
    metadata: [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '169.254.170.2',
      '100.100.100.200',
      '168.63.129.16',
      'fd00:ec2::254',
      'fd20:ce::254',
    ],
    link_local: ['169.254.1.1', 'fe80::1', '::ffff:169.254.9.9'],
    loopback: ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'],
    unspecified: ['0.0.0.0', '0.1.2.3', '::', '255.255.255.255', '240.0.0.1', '2002:7f00:1::1', '2001::1'],
    multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
    not_an_address: ['', 'vllm.test', '10.0.0', '10.0.0.1 ', 'fe80::1%eth0', '0x7f000001', '2130706433'],
  }
  for (const [fault, addresses] of Object.entries(table))
    for (const address of addresses) t.equal(addressFault(address, name), fault, address)
  t.end()
})

t.test('this machine, when the operator says so; the rest never', (t) => {
  for (const operators of ['localhost', 'vllm.localhost', '127.0.0.1', '::1', '10.0.0.1']) {
    t.equal(addressFault('127.0.0.1', operators), undefined, operators)
    t.equal(addressFault('::1', operators), undefined, operators)
    t.equal(addressFault('169.254.169.254', operators), 'metadata', operators)
    t.equal(addressFault('fe80::1', operators), 'link_local', operators)
  }
  for (const other of ['localhost.evil.test', 'notlocalhost', '127.0.0.1.nip.io'])
    t.equal(addressFault('127.0.0.1', other), 'loopback', other)
  t.end()
})

t.test('an IPv4 address is judged the same inside IPv6', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      t.equal(addressFault(`::ffff:${address}`, name), addressFault(address, name))
      t.equal(addressFault(`64:ff9b::${address}`, name), addressFault(address, name))
    }),
    { numRuns: 200 },
  )
  t.end()
})
