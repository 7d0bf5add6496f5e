/**
 * A DNS server over UDP and TCP on 127.0.0.1, which answers from a zone that a test can change at any time. It knows A,
 * AAAA and SRV, truncates what is too long for UDP, and can misbehave.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export type RecordType = 'A' | 'AAAA' | 'SRV'

export interface SrvData {
  readonly target: string
  readonly port: number
  readonly priority?: number
  readonly weight?: number
}

/** What the server does when it is asked. */
export type Behavior =
  | {
      readonly records: readonly (string | SrvData)[]
      readonly ttlSeconds?: number
      readonly delayMs?: number
    }
  /** Says nothing at all. */
  | 'silence'
  | 'servfail'
  | 'nxdomain'
  | 'refused'
  /** The right id, then nonsense. */
  | 'junk'

const types: Readonly<Record<number, RecordType>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' }
const typeNumbers = { A: 1, AAAA: 28, SRV: 33 } as const
const codes = { servfail: 2, nxdomain: 3, refused: 5 } as const
const udpBytesMax = 1_232
const TRUNCATED = 0x0200

interface Question {
  readonly id: number
  readonly name: string
  readonly type: RecordType | undefined
  /** As it came. */
  readonly bytes: Buffer
}

function parseQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = types[message.readUInt16BE(at + 1)]
  const name = labels.join('.').toLowerCase()
  return { id: message.readUInt16BE(0), name, type, bytes: message.subarray(12, at + 5) }
}

const uint16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, index) => {
    bytes.writeUInt16BE(value, index * 2)
  })
  return bytes
}

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.alloc(1),
  ])

/** `fd00::7` or `::ffff:10.0.0.1` in sixteen bytes. */
function ipv6Bytes(address: string): Buffer {
  const hex = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = hex.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((part) => parseInt(part, 16))
  const [left, right] = [groups(head), groups(tail ?? '')]
  return uint16(...left, ...new Array(8 - left.length - right.length).fill(0), ...right)
}

function dataOf(record: string | SrvData, type: RecordType): Buffer {
  if (typeof record !== 'string') {
    const { target, port, priority = 0, weight = 0 } = record
    return Buffer.concat([uint16(priority, weight, port), nameBytes(target)])
  }
  return type === 'A' ? Buffer.from(record.split('.').map(Number)) : ipv6Bytes(record)
}

function recordBytes(record: string | SrvData, type: RecordType, ttlSeconds: number): Buffer {
  const data = dataOf(record, type)
  const ttl = Buffer.alloc(4)
  ttl.writeUInt32BE(ttlSeconds)
  // 0xc00c points at the name of the question.
  return Buffer.concat([uint16(0xc00c, typeNumbers[type], 1), ttl, uint16(data.length), data])
}

const head = (id: number, flags: number, answers: number): Buffer =>
  uint16(id, 0x8580 | flags, 1, answers, 0, 0)

export class SimulatedDns implements AsyncDisposable {
  /** What it was asked, oldest first: `A vllm.test`. Retries and TCP count. */
  readonly asked: string[] = []
  overTcp = 0
  readonly #zone = new Map<string, Behavior>()
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #sockets = new Set<Socket>()

  private constructor(udp: UdpSocket, tcp: Server) {
    this.#udp = udp
    this.#tcp = tcp
    udp.on('message', (message, { port, address }) => {
      this.#answer(message, udpBytesMax, (reply) => this.#sendUdp(reply, port, address))
    })
    tcp.on('connection', (socket) => this.#serveTcp(socket))
  }

  static async open(): Promise<SimulatedDns> {
    // A port that is free for both: TCP chooses, UDP follows.
    for (;;) {
      const tcp = createServer().listen(0, '127.0.0.1')
      await once(tcp, 'listening')
      const udp = createSocket('udp4')
      udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1')
      const bound = await once(udp, 'listening').catch(() => undefined)
      if (bound !== undefined) return new SimulatedDns(udp, tcp)
      tcp.close()
    }
  }

  /** For `Resolver.setServers`. */
  get server(): string {
    return `127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`
  }

  /** From now on. Names that are not set have no records (`NODATA`). */
  set(type: RecordType, name: string, behavior: Behavior): void {
    this.#zone.set(`${type} ${name.toLowerCase()}`, behavior)
  }

  #answer(message: Buffer, bytesMax: number, send: (reply: Buffer) => void): void {
    const question = parseQuestion(message)
    const key = `${question.type ?? 'OTHER'} ${question.name}`
    this.asked.push(key)
    const behavior = this.#zone.get(key) ?? { records: [] }
    if (behavior === 'silence') return
    const reply = replyTo(question, behavior, bytesMax)
    const delayMs = typeof behavior === 'string' ? 0 : (behavior.delayMs ?? 0)
    if (delayMs === 0) send(reply)
    else setTimeout(() => send(reply), delayMs).unref()
  }

  #sendUdp(reply: Buffer, port: number, address: string): void {
    // Nobody waits any more when the test is over.
    this.#udp.send(reply, port, address, () => undefined)
  }

  #serveTcp(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    let held = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        this.overTcp++
        this.#answer(held.subarray(2, end), 65_535, (reply) => {
          socket.write(Buffer.concat([uint16(reply.length), reply]))
        })
        held = held.subarray(end)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = [once(this.#udp, 'close'), once(this.#tcp, 'close')]
    this.#udp.close()
    this.#tcp.close()
    await Promise.all(closed)
  }
}

function replyTo(
  { id, type, bytes }: Question,
  behavior: Exclude<Behavior, 'silence'>,
  bytesMax: number,
): Buffer {
  if (behavior === 'junk') return Buffer.concat([uint16(id), Buffer.alloc(40, 0xff)])
  if (typeof behavior === 'string') return Buffer.concat([head(id, codes[behavior], 0), bytes])
  const { records, ttlSeconds = 30 } = behavior
  const answers = type === undefined ? [] : records.map((record) => recordBytes(record, type, ttlSeconds))
  const reply = Buffer.concat([head(id, 0, answers.length), bytes, ...answers])
  return reply.length > bytesMax ? Buffer.concat([head(id, TRUNCATED, 0), bytes]) : reply
}
