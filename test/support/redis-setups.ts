/** Setups of real Redis servers: a Cluster, a master with a sentinel; and what an operator does to a server. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { holds } from './holds.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { freePorts } from './stack.ts'

/** A server that is busy, loading or without memory answers nothing but what is asked. */
const plainly = {
  retryStrategy: null,
  enableReadyCheck: false,
  disableClientInfo: true,
  protocol: 2,
} as const

/** Runs one command on a connection of its own. */
export async function command(
  port: number,
  words: readonly (string | number)[],
  options: { readonly password?: string; readonly username?: string } = {},
): Promise<unknown> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, ...plainly, ...options })
  client.on('error', () => {})
  try {
    const [name, ...rest] = words
    return await client.call(String(name), rest.map(String))
  } finally {
    client.disconnect()
  }
}

export interface RedisGroup {
  readonly addresses: readonly string[]
  readonly servers: readonly RedisServer[]
  stop(): Promise<void>
}

/** Masters that share the slots evenly; where one is missing, the others serve their part. */
export async function startCluster(masters = 3): Promise<RedisGroup> {
  const nodes = await Promise.all(Array.from({ length: masters }, startClusterNode))
  const group = groupOf(nodes.map(({ server }) => server))
  return orStop(group, async () => {
    const size = 16_384 / masters
    const [{ server: one }] = nodes as [ClusterNode]
    for (const [index, { server, bus }] of nodes.entries()) {
      const [first, last] = [Math.round(index * size), Math.round((index + 1) * size) - 1]
      await command(server.port, ['CLUSTER', 'ADDSLOTSRANGE', first, last])
      await command(server.port, ['CLUSTER', 'SET-CONFIG-EPOCH', index + 1])
      if (server !== one) await command(one.port, ['CLUSTER', 'MEET', '127.0.0.1', server.port, bus])
    }
    for (const { port } of group.servers)
      await holds(async () => isWhole(String(await command(port, ['CLUSTER', 'INFO'])), masters))
    return group
  })
}

interface ClusterNode {
  readonly server: RedisServer
  /** Where it talks to other nodes. */
  readonly bus: number
}

/** A group that did not come about leaves no process behind. */
async function orStop<T>(group: RedisGroup, made: () => Promise<T>): Promise<T> {
  try {
    return await made()
  } catch (error) {
    await group.stop()
    throw error
  }
}

async function startClusterNode(): Promise<ClusterNode> {
  const [port, bus] = (await freePorts(2)) as [number, number]
  const server = await startRedis(
    [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
      ...['--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'],
    ],
    port,
  )
  return { server, bus }
}

const isWhole = (info: string, masters: number): boolean =>
  info.includes('cluster_state:ok') &&
  info.includes(`cluster_known_nodes:${masters}`) &&
  info.includes('cluster_slots_ok:16384')

export interface SentinelGroup extends RedisGroup {
  readonly masterName: string
  /** Whom the sentinel names master at this moment. */
  master(): Promise<RedisServer>
}

/** A master, a replica of it, and one sentinel that is enough to decide. */
export async function startSentinel(): Promise<SentinelGroup> {
  const masterName = 'limits'
  const first = await startRedis()
  const second = await startRedis(['--replicaof', '127.0.0.1', String(first.port)])
  const group = groupOf([first, second])
  return orStop(group, async () => {
    await holds(async () =>
      String(await command(second.port, ['INFO', 'replication'])).includes('master_link_status:up'),
    )
    const sentinel = await launchSentinel([
      `sentinel monitor ${masterName} 127.0.0.1 ${first.port} 1`,
      `sentinel down-after-milliseconds ${masterName} 250`,
      `sentinel failover-timeout ${masterName} 2000`,
    ])
    const ask = (...words: string[]) => command(sentinel.port, ['SENTINEL', ...words])
    const stop = async () => {
      await sentinel.stop()
      await group.stop()
    }
    await orStop({ ...group, stop }, () =>
      holds(async () => String(await ask('REPLICAS', masterName)).includes(String(second.port))),
    )
    const master = async () => {
      const [, port] = (await ask('GET-MASTER-ADDR-BY-NAME', masterName)) as string[]
      return group.servers.find((server) => String(server.port) === port) as RedisServer
    }
    return { ...group, masterName, addresses: [`127.0.0.1:${sentinel.port}`], master, stop }
  })
}

async function launchSentinel(lines: readonly string[]) {
  const [port] = (await freePorts(1)) as [number]
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-sentinel-'))
  // A sentinel writes what it learns into its configuration.
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...lines, ''].join('\n'))
  const child: ChildProcess = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const stop = async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
  return { port, stop }
}

function groupOf(servers: readonly RedisServer[]): RedisGroup {
  return {
    servers,
    addresses: servers.map(({ address }) => address),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/** A socket that accepts and never says a word. */
export async function startBlackHole(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
