import { gaugeOf } from './gauge.ts'

/**
 * Looks for a few series in the Prometheus text format (0.0.4, and OpenMetrics, whose samples look the same), and for
 * nothing else in it. The body comes from a model server, so it is not believed to be one. Invariants:
 *
 * 1. What is found depends on the bytes only, never on where they are cut into chunks.
 * 2. At most `bytesMax` bytes are looked at, each a bounded number of times, and at most `lineBytesMax` bytes are held.
 * 3. Only exact names count: `vllm:num_requests_waiting` is not `vllm:num_requests_waiting_by_reason`.
 * 4. Each value is finite and not negative; there is one for each engine, at most `enginesMax` of a name.
 * 5. A name whose samples the bound of bytes may have cut off is not found: half of the engines are no reading.
 */
export interface WantedSeries {
  readonly names: readonly string[]
  /**
   * The labels that tell the engines behind one endpoint apart. Series that agree in them say the same thing again (one
   * for each tensor-parallel rank, a total beside its parts): the largest is taken, where a sum would count twice.
   */
  readonly engineLabels: readonly string[]
}

export interface TextBounds {
  /** Default 1 MiB. What comes after it is not read. */
  readonly bytesMax?: number | undefined
  /** Default 8 KiB. A longer line is skipped. */
  readonly lineBytesMax?: number | undefined
  /** Default 256. Engines after these are not counted. */
  readonly enginesMax?: number | undefined
}

const LF = 10
const QUOTE = 34
const BACKSLASH = 92

/** One name, as bytes to compare with. */
interface Wanted {
  readonly name: string
  readonly bytes: Buffer
  readonly engines: Map<string, number>
}

export class SeriesReader {
  readonly #wanted: readonly Wanted[]
  readonly #engineLabels: readonly string[]
  readonly #bytesMax: number
  readonly #lineBytesMax: number
  readonly #enginesMax: number
  #held: Buffer[] = []
  #heldBytes = 0
  #isSkipping = false
  #bytes = 0
  #last: Wanted | undefined

  constructor(wanted: WantedSeries, bounds: TextBounds = {}) {
    this.#wanted = wanted.names.map((name) => ({ name, bytes: Buffer.from(name), engines: new Map() }))
    this.#engineLabels = wanted.engineLabels
    this.#bytesMax = bounds.bytesMax ?? 1_048_576
    this.#lineBytesMax = bounds.lineBytesMax ?? 8_192
    this.#enginesMax = bounds.enginesMax ?? 256
  }

  /** Takes the next bytes. Returns whether it wants more. */
  push(chunk: Uint8Array): 'more' | 'enough' {
    const room = this.#bytesMax - this.#bytes
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, room))
    this.#bytes += bytes.length
    let from = 0
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      this.#endLine(bytes.subarray(from, end))
      from = end + 1
    }
    this.#hold(bytes.subarray(from))
    if (chunk.length <= room) return 'more'
    this.#cut()
    return 'enough'
  }

  /** The values of each name that was found, one for each engine. Call it once, after the last bytes. */
  end(): ReadonlyMap<string, readonly number[]> {
    if (this.#heldBytes > 0) this.#endLine(Buffer.alloc(0))
    const found = this.#wanted.filter(({ engines }) => engines.size > 0)
    return new Map(found.map(({ name, engines }) => [name, [...engines.values()]]))
  }

  /** The samples of a name stand together, so only the name that was being read can be cut. */
  #cut(): void {
    this.#held = []
    this.#heldBytes = 0
    this.#last?.engines.clear()
  }

  #hold(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return
    this.#heldBytes += part.length
    if (this.#heldBytes <= this.#lineBytesMax) {
      // A copy: the chunk may be the socket's to use again.
      this.#held.push(Buffer.from(part))
      return
    }
    this.#held = []
    this.#heldBytes = 0
    this.#isSkipping = true
  }

  #endLine(part: Buffer): void {
    if (this.#isSkipping) {
      this.#isSkipping = false
      return
    }
    if (this.#heldBytes + part.length <= this.#lineBytesMax) {
      this.#line(this.#heldBytes === 0 ? part : Buffer.concat([...this.#held, part]))
    }
    this.#held = []
    this.#heldBytes = 0
  }

  #line(line: Buffer): void {
    const wanted = this.#wanted.find(({ bytes }) => isSample(line, bytes))
    this.#last = wanted
    if (wanted === undefined) return
    const sample = parseSample(line.toString('latin1', wanted.bytes.length))
    const value = sample && gaugeOf(sample.value)
    if (sample === undefined || value === undefined) return
    const engine = JSON.stringify(this.#engineLabels.map((label) => sample.labels.get(label) ?? ''))
    const before = wanted.engines.get(engine)
    if (before === undefined && wanted.engines.size >= this.#enginesMax) return
    wanted.engines.set(engine, Math.max(before ?? 0, value))
  }
}

/** Whether the name ends where the labels or the value begin. */
function isSample(line: Buffer, name: Buffer): boolean {
  const next = line[name.length]
  const ends = next === 123 || next === 32 || next === 9
  return ends && line[0] === name[0] && line.compare(name, 0, name.length, 0, name.length) === 0
}

interface Sample {
  readonly labels: ReadonlyMap<string, string>
  readonly value: string
}

/** `{engine="0",model_name="m"} 3 1700000000` -> its labels, and `3`. `undefined` when it is no sample. */
function parseSample(rest: string): Sample | undefined {
  const labels = new Map<string, string>()
  const from = rest.startsWith('{') ? parseLabels(rest, labels) : 0
  if (from === undefined) return undefined
  const [value = ''] = rest.slice(from).trim().split(/[ \t]/, 1)
  return { labels, value }
}

/** Fills `labels`; returns the index after the closing brace. One pass, each character once. */
function parseLabels(text: string, labels: Map<string, string>): number | undefined {
  let at = 1
  while (text[at] !== '}') {
    const equals = text.indexOf('=', at)
    if (equals === -1 || text.charCodeAt(equals + 1) !== QUOTE) return undefined
    const end = endOfQuoted(text, equals + 2)
    if (end === undefined) return undefined
    labels.set(text.slice(at, equals).trim(), text.slice(equals + 2, end))
    at = end + 1
    while (text[at] === ',' || text[at] === ' ') at++
  }
  return at + 1
}

/** Index of the quote that ends the value. Escapes stay as they are: values are only compared with each other. */
function endOfQuoted(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return undefined
}

/** Reads a body up to its bound, and leaves it there. Fails as the body fails. */
export async function readSeries(
  body: AsyncIterable<Uint8Array>,
  wanted: WantedSeries,
  bounds?: TextBounds,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const reader = new SeriesReader(wanted, bounds)
  for await (const chunk of body) if (reader.push(chunk) === 'enough') break
  return reader.end()
}
