// TLS toward the model server goes wrong: nothing is sent to a server that did not prove who it is.
import t from 'tap'
import { issueServer, makeAuthority } from '../support/certificates.ts'
import { faultMatrix, type tlsFaults } from '../support/fault-matrix.ts'
import { FaultProxy } from '../support/fault-proxy/proxy.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { until } from '../support/stack.ts'

const HOUR_MS = 3_600_000
const ca = await makeAuthority('model server CA')
const stranger = await makeAuthority('model server CA')
const [good, expired, early, otherName, otherAuthority] = await Promise.all([
  issueServer(ca),
  issueServer(ca, [], {
    notBefore: new Date(Date.now() - 2 * HOUR_MS),
    notAfter: new Date(Date.now() - HOUR_MS),
  }),
  issueServer(ca, [], { notBefore: new Date(Date.now() + HOUR_MS) }),
  ca.issue({ subject: 'CN=localhost', dnsNames: ['other.test'], eku: ['1.3.6.1.5.5.7.3.1'] }),
  issueServer(stranger),
])

// The wire is in front: gateway -> wire -> scene.proxy, where TLS ends -> model server.
const wire = await FaultProxy.open()
const scene = await FaultScene.open({
  healthy: { tls: good },
  origin: `https://localhost:${wire.port}`,
  files: { 'config/tls/upstream-ca.crt': ca.cert },
  models: { pool: { timeouts: { connectMs: 600 } } },
})
wire.target = { port: scene.proxy.port }
t.teardown(async () => {
  await scene.close()
  await wire.close()
})

const stream = true
const text = { content: ['one ', 'two ', 'naïve'] }
type Name = keyof typeof tlsFaults
type WireCause = Cause & { readonly onWire?: FaultProxy['faults'] }
const causes: Readonly<Record<Name, WireCause>> = {
  'certificate expired': { faults: { tls: expired } },
  'certificate not valid yet': { faults: { tls: early } },
  'certificate of another name': { faults: { tls: otherName } },
  'certificate of another authority': { faults: { tls: otherAuthority } },
  'slow accept within connectMs': { onWire: { acceptDelayMs: 150 } },
  'slow accept beyond connectMs': { onWire: { acceptDelayMs: 1_500 } },
  'TLS handshake stalls at its beginning': { onWire: { downstream: [{ kind: 'timeout' }] } },
  'TLS handshake stalls in its middle': { onWire: { downstream: [{ kind: 'timeout', afterBytes: 100 }] } },
  'reset in the TLS handshake': {
    onWire: { downstream: [{ kind: 'reset_peer', afterBytes: 100, delayMs: 20 }] },
  },
  'no TLS where TLS is spoken': { faults: {} },
  'TLS handshake byte by byte': {
    onWire: { upstream: [{ kind: 'slicer', bytes: 1 }], downstream: [{ kind: 'slicer', bytes: 1 }] },
  },
  'a TLS record for each byte of a stream': {
    faults: { tls: good, downstream: [{ kind: 'slicer', bytes: 1 }] },
    script: text,
    stream,
  },
  'reset inside a TLS record': {
    // The handshake, the tickets, the head and the first event; then half of what follows.
    script: { content: ['one ', 'x'.repeat(12_000)], gapMs: 100 },
    onWire: { downstream: [{ kind: 'reset_peer', afterBytes: 10_000, delayMs: 50 }] },
    stream,
  },
}

for (const [name, { onWire = {}, ...cause }] of Object.entries(causes) as [Name, WireCause][]) {
  t.test(name, async (t) => {
    const requestsBefore = scene.scene.stack.model.stats.requests
    wire.faults = onWire
    const seen = await scene.matches(name, {
      ...cause,
      afterwards: () => {
        wire.faults = {}
      },
    })
    await until(() => wire.open === 0)
    t.equal(wire.open, 0)
    if (faultMatrix[name].caller !== '502 upstream_unavailable') return
    t.equal(scene.scene.stack.model.stats.requests, requestsBefore + 1, 'only the good call came through')
    t.notMatch(seen.text, /CERT|certificate|TLS|localhost/, 'the caller learns nothing of it')
    t.match(seen.ending.line, { detail: String })
  })
}
