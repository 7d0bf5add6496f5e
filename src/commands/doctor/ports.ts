import type { Config } from '../../config/load.ts'
import { tryPort } from '../port.ts'
import { type Check, failed, ok, warning } from './check.ts'

const TIMEOUT_MS = 3_000

interface Ready {
  readonly status: string
  readonly checks: Readonly<Record<string, { readonly ready: boolean; readonly detail: string }>>
}

/** Whether the gateway could listen, or does so already. */
export async function checkPorts({ gateway }: Config): Promise<Check[]> {
  const { traffic, probes, ops } = gateway
  const running = await askProbes(probes.host, probes.port)
  const checks = [
    await checkPort('traffic port', traffic.host, traffic.port, running),
    await checkPort('ops port', ops.host, ops.port, running),
    await checkPort('probes port', probes.host, probes.port, running),
  ]
  return running === undefined ? checks : [...checks, readiness(running)]
}

async function checkPort(
  name: string,
  host: string,
  port: number,
  running: Ready | undefined,
): Promise<Check> {
  const at = `${host}:${port}`
  const state = await tryPort(host, port)
  if (state === 'free') return ok(name, `${at} is free`)
  if (state !== 'EADDRINUSE') {
    return failed(
      name,
      `cannot listen on ${at} (${state})`,
      'Choose an address of this machine, and a port above 1023.',
    )
  }
  return running
    ? ok(name, `${at} is in use, and a Sallyport runs`)
    : failed(name, `${at} is in use by another program`, 'Stop it, or choose another port in gateway.yaml.')
}

function readiness({ status, checks }: Ready): Check {
  const unready = Object.entries(checks).filter(([, { ready }]) => !ready)
  if (status === 'ok') return ok('running', 'the gateway that runs is ready')
  const reasons = unready.map(([name, { detail }]) => `${name}: ${detail}`).join('; ')
  return warning(
    'running',
    `the gateway that runs is not ready: ${reasons}`,
    'Mend that, or wait for it to end.',
  )
}

/** What answers on the probes port, if it is one of us. */
async function askProbes(host: string, port: number): Promise<Ready | undefined> {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const name = local.includes(':') ? `[${local}]` : local
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(`http://${name}:${port}/readyz`, { signal, redirect: 'manual' })
    const body = (await answer.json()) as Partial<Ready> | null
    return body?.checks?.['drain'] === undefined ? undefined : (body as Ready)
  } catch {
    return undefined
  }
}
