// What is replaced while a gateway serves: each step is done when both gateways show that it has taken effect, and a
// caller who follows it (a new certificate, a token of the new key) is served.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { type Agent, request } from 'undici'
import { agentOf, type Caller } from './flow.ts'
import { makeIssuer } from './issuer.ts'
import { configHash, type Place, policiesOf, putFile } from './places.ts'
import {
  closing,
  type Fleet,
  type LoadOptions,
  type RunResult,
  startFleet,
  underLoad,
} from './rolling-run.ts'

export interface RotationResult extends RunResult {
  readonly steps: readonly { readonly name: string; readonly seconds: number }[]
}

const LOOK_MS = 50
/** A change is seen at the latest after ten seconds (docs/operations/reload-and-drain.md). */
const STEP_MS_MAX = 30_000

/** Rotates everything from the certificates of one folder (`options.secrets`) to those of another. */
export async function rotationRun(options: LoadOptions, next: string): Promise<RotationResult> {
  const fleet = await startFleet(options)
  const rotation = new Rotation(fleet, options.secrets, next)
  try {
    const steps: RotationResult['steps'][number][] = []
    const seen = await underLoad(
      () => rotation.caller,
      options,
      async () => {
        for (const [name, step] of Object.entries(rotation.steps)) {
          const startedAt = performance.now()
          await step()
          steps.push({ name, seconds: (performance.now() - startedAt) / 1000 })
        }
      },
    )
    await rotation.close()
    return { ...seen, steps, drains: [], ...(await closing(fleet, seen)) }
  } finally {
    await fleet.close()
  }
}

class Rotation {
  readonly #fleet: Fleet
  readonly #old: string
  readonly #next: string
  readonly #agents: Agent[] = []
  #caller: Caller

  constructor(fleet: Fleet, old: string, next: string) {
    this.#fleet = fleet
    this.#old = old
    this.#next = next
    this.#caller = { url: fleet.url, agent: this.#agent(old), token: fleet.issuer.token('load') }
  }

  /** As whom requests that begin now come. */
  get caller(): Caller {
    return this.#caller
  }

  readonly steps = {
    'server certificate': () => this.#serverCertificate(),
    'client CA': () => this.#clientAuthority(),
    JWKS: () => this.#tokenKeys(),
    configuration: () => this.#configuration(),
  }

  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.destroy()))
  }

  /** Key and chain are two files: whatever stands there between the two writes is refused, and the old pair serves. */
  async #serverCertificate(): Promise<void> {
    const text = (file: string): string => readFileSync(join(this.#next, file), 'utf8')
    for (const place of this.#fleet.places) {
      putFile(place, 'tls/server.key', text('server.key'))
      putFile(place, 'tls/server.crt', text('server.crt'))
    }
    const authority = readFileSync(join(this.#next, 'ca.crt'))
    await this.#everywhere((place) => isBelieved(place, authority))
  }

  /** Both authorities first; callers change; the old one goes when nobody uses it any more. */
  async #clientAuthority(): Promise<void> {
    const [old, next] = [this.#old, this.#next].map((folder) =>
      readFileSync(join(folder, 'client-ca.crt'), 'utf8'),
    ) as [string, string]
    const put = (text: string): void => {
      for (const place of this.#fleet.places) putFile(place, 'tls/client-ca.crt', text)
    }
    const [before] = this.#agents as [Agent]
    put(old + next)
    const agent = this.#agent(this.#next)
    await this.#everywhere((place) => isServed({ ...this.#caller, agent, url: urlOf(place) }))
    this.#caller = { ...this.#caller, agent }
    // Resolves when the streams on its connections have come to their end.
    await before.close()
    put(next)
    const outsider = this.#agent(this.#old)
    await this.#everywhere(
      async (place) => !(await isServed({ ...this.#caller, agent: outsider, url: urlOf(place) })),
    )
  }

  /** Both keys first; tokens of the new one; the old one goes. */
  async #tokenKeys(): Promise<void> {
    const next = makeIssuer('key-2')
    const put = (keys: readonly object[]): void => {
      for (const place of this.#fleet.places) putFile(place, 'issuer.jwks.json', JSON.stringify({ keys }))
    }
    const { token: old, agent } = this.#caller
    put([this.#fleet.issuer.jwk, next.jwk])
    const token = next.token('load')
    await this.#everywhere((place) => isServed({ agent, token, url: urlOf(place) }))
    this.#caller = { ...this.#caller, token }
    put([next.jwk])
    await this.#everywhere(async (place) => !(await isServed({ agent, token: old, url: urlOf(place) })))
  }

  async #configuration(): Promise<void> {
    for (let change = 1; change <= 3; change += 1) {
      const before = await Promise.all(this.#fleet.places.map(configHash))
      for (const place of this.#fleet.places)
        putFile(place, 'policies.yaml', JSON.stringify(policiesOf(1_000_000 - change)))
      await this.#everywhere(async (place) => !before.includes(await configHash(place)))
    }
  }

  /** The old authority of servers stays in: a connection of before may be opened anew at any time. */
  #agent(folder: string): Agent {
    const read = (file: string): Buffer => readFileSync(join(folder, file))
    const ca = [this.#old, this.#next].map((each) => readFileSync(join(each, 'ca.crt')))
    const agent = agentOf({ ca, cert: read('client.crt'), key: read('client.key') })
    this.#agents.push(agent)
    return agent
  }

  async #everywhere(done: (place: Place) => Promise<boolean>): Promise<void> {
    const until = performance.now() + STEP_MS_MAX
    for (const place of this.#fleet.places) {
      while (!(await done(place))) {
        if (performance.now() > until) throw new Error(`gateway ${place.name} does not take the change`)
        await delay(LOOK_MS)
      }
    }
  }
}

const urlOf = ({ port }: Place): string => `https://localhost:${port}`

async function isServed({ url, agent, token }: Caller): Promise<boolean> {
  try {
    // On a connection of its own: an open one was judged by what was in force when it was opened.
    const headers = { authorization: `Bearer ${token}` }
    const answer = await request(`${url}/v1/models`, { dispatcher: agent, headers, reset: true })
    await answer.body.dump()
    return answer.statusCode === 200
  } catch {
    return false
  }
}

/** Whether the server shows a certificate of that authority. */
function isBelieved({ port }: Place, ca: Buffer): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
  socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
