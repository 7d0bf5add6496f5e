// What all rows share: throw-away certificates and a token, made by `sallyport dev`, and one simulated model server.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { callerTls, startDev } from '../dev-gateway.ts'
import { freePort } from '../processes.ts'
import { root } from './places.ts'
import { type Program, startProgram } from './program.ts'
import type { World } from './row.ts'

export interface Scene {
  readonly world: World
  readonly model: Program
  readonly modelOrigin: string
  /** Connections of a caller: with its certificate where there is TLS. */
  agent(): Agent
}

const CALLER_CONNECTIONS_MAX = 512
const LOOKS = 200
const LOOK_MS = 50

/** Makes it in an empty folder; what is started is handed to `opened` before anything can fail. */
export async function makeScene(folder: string, opened: (program: Program) => void): Promise<Scene> {
  const dev = join(folder, 'dev')
  mkdirSync(dev, { mode: 0o700 })
  const { child } = await startDev(dev)
  await child.stop()
  const modelPort = await freePort()
  const script = join(root, 'loadtest/bench/peers/model.ts')
  const launch = { command: process.execPath, args: [script, String(modelPort)], cwd: root }
  const model = await startProgram(launch, join(folder, 'model.log'))
  opened(model)
  const modelOrigin = `http://127.0.0.1:${modelPort}`
  await answering(modelOrigin, model)
  const world = worldIn(folder, dev, modelPort)
  return { world, model, modelOrigin, agent: () => agentFor(dev) }
}

function worldIn(folder: string, dev: string, modelPort: number): World {
  const tls = join(dev, 'config/tls')
  const both = join(folder, 'server.pem')
  const [cert, key] = [join(tls, 'server.crt'), join(tls, 'server.key')]
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  const token = readFileSync(join(dev, 'token'), 'utf8').trim()
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    iss: string
    aud: string
  }
  return {
    folder,
    modelPort,
    tls: { cert, key, both, clientCa: join(tls, 'client-ca.crt') },
    issuer: {
      name: claims.iss,
      audience: claims.aud,
      jwks: readFileSync(join(dev, 'config/issuer.jwks.json'), 'utf8'),
    },
    token,
    allowedNode: /allowUnsupportedNode: (\S+)/.exec(
      readFileSync(join(dev, 'config/gateway.yaml'), 'utf8'),
    )?.[1],
  }
}

const agentFor = (dev: string): Agent =>
  new Agent({
    connections: CALLER_CONNECTIONS_MAX,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    connect: { ...callerTls(dev), timeout: 10_000 },
  })

async function answering(origin: string, program: Program): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const answer = await request(`${origin}/health`, { reset: true }).catch(() => undefined)
    await answer?.body.dump()
    if (answer?.statusCode === 200) return
    await delay(LOOK_MS)
  }
  throw new Error(`the simulated model server does not answer:\n${program.tail()}`)
}
