// Everything that callers and gateways believe in is replaced under load, one after the other: the server certificate (of
// a new authority), the authority of client certificates, the key of tokens. Both are good for a while, as operators do it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { request } from 'undici'
import { agentOf } from '../deploy/flow.ts'
import { type Place, putFile } from '../deploy/places.ts'
import type { Fault, FaultRun } from './faults.ts'
import type { Stage } from './stage.ts'
import { giveTokens, makeRolesIssuer } from './tokens.ts'

const LOOK_MS = 50
/** A change is seen at the latest after ten seconds (docs/operations/reload-and-drain.md). */
const STEP_MS_MAX = 30_000
/** Longer than a stream of the scenario: nobody is on a connection of before when the old one goes. */
const OVERLAP_MS = 3_000

export const rotation: Fault = async (run) => {
  const said: string[] = []
  const steps = {
    'server certificate': serverCertificate,
    'client authority': clientAuthority,
    JWKS: tokenKeys,
  }
  for (const [name, step] of Object.entries(steps)) {
    await delay(500, undefined, { signal: run.signal })
    const startedAt = performance.now()
    await step(run)
    said.push(`${name} replaced in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }
  return said
}

const textIn = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8')

/** Key and chain are two files: whatever stands there between the two writes is refused, and the old pair serves. */
async function serverCertificate({ stage }: FaultRun): Promise<void> {
  for (const place of stage.places) {
    putFile(place, 'tls/server.key', textIn(stage.nextSecrets, 'server.key'))
    putFile(place, 'tls/server.crt', textIn(stage.nextSecrets, 'server.crt'))
  }
  const authority = textIn(stage.nextSecrets, 'ca.crt')
  await everywhere(stage, (place) => isBelieved(place, authority))
}

async function clientAuthority({ stage, signal }: FaultRun): Promise<void> {
  const { secrets, nextSecrets, places, callers } = stage
  const [old, next] = [secrets, nextSecrets].map((each) => textIn(each, 'client-ca.crt')) as [string, string]
  const put = (text: string): void => {
    for (const place of places) putFile(place, 'tls/client-ca.crt', text)
  }
  const token = callers[0]?.token ?? ''
  put(old + next)
  await everywhere(stage, (place) => isServed(stage, place, nextSecrets, token))
  await delay(OVERLAP_MS, undefined, { signal })
  put(next)
  await everywhere(stage, async (place) => !(await isServed(stage, place, secrets, token)))
}

async function tokenKeys({ stage, signal }: FaultRun): Promise<void> {
  const { issuer, places, callers, tokensFolder, nextSecrets } = stage
  const next = makeRolesIssuer('key-2')
  const put = (keys: readonly object[]): void => {
    for (const place of places) putFile(place, 'issuer.jwks.json', JSON.stringify({ keys }))
  }
  const [first] = callers
  if (first === undefined) throw new Error('this stage has no callers')
  put([issuer.jwk, next.jwk])
  const token = next.tokenFor(first.tenant, first.role)
  await everywhere(stage, (place) => isServed(stage, place, nextSecrets, token))
  giveTokens(tokensFolder, callers, next)
  await delay(1_000, undefined, { signal })
  put([next.jwk])
  await everywhere(stage, async (place) => !(await isServed(stage, place, nextSecrets, first.token)))
}

async function everywhere({ places }: Stage, done: (place: Place) => Promise<boolean>): Promise<void> {
  const until = performance.now() + STEP_MS_MAX
  for (const place of places) {
    while (!(await done(place))) {
      if (performance.now() > until) throw new Error(`gateway ${place.name} does not take the change`)
      await delay(LOOK_MS)
    }
  }
}

/** Whether a caller with the certificate of that folder and that token is served, on a connection of its own. */
async function isServed(
  { secrets, nextSecrets }: Stage,
  { port }: Place,
  folder: string,
  token: string,
): Promise<boolean> {
  const ca = [secrets, nextSecrets].map((each) => textIn(each, 'ca.crt'))
  const agent = agentOf({ ca, cert: textIn(folder, 'client.crt'), key: textIn(folder, 'client.key') })
  try {
    const answer = await request(`https://localhost:${port}/v1/models`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}` },
    })
    await answer.body.dump()
    return answer.statusCode === 200
  } catch {
    return false
  } finally {
    await agent.destroy()
  }
}

/** Whether the server shows a certificate of that authority. */
function isBelieved({ port }: Place, ca: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
  socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
