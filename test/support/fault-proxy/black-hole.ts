/**
 * A port at which packets vanish: its listener never accepts, and once its backlog is full the system drops every SYN, as a
 * firewall does. A thread that sleeps holds the listener, because Node.js accepts whenever it runs.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

const program = `
  const { createServer } = require('node:net')
  const { parentPort, workerData } = require('node:worker_threads')
  const server = createServer((socket) => socket.destroy())
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0))
  })
`

export interface BlackHole {
  readonly port: number
  close(): Promise<void>
}

const FILLERS = 8
const FILL_MS = 200

export async function openBlackHole(): Promise<BlackHole> {
  const gate = new SharedArrayBuffer(4)
  const worker = new Worker(program, { eval: true, workerData: gate })
  const [port] = (await once(worker, 'message')) as [number]
  // Those that the backlog holds connect; the others hang as every later one does.
  const fillers: Socket[] = []
  for (let filler = 0; filler < FILLERS; filler += 1) {
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
    fillers.push(socket)
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, FILL_MS, false)),
    ])
    if (!connected) break
  }
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy()
      Atomics.store(new Int32Array(gate), 0, 1)
      Atomics.notify(new Int32Array(gate), 0)
      await worker.terminate()
    },
  }
}
