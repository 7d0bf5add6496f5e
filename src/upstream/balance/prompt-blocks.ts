/**
 * What a prompt begins with, as numbers: one hash for each of its blocks, and each covers everything before it, so two
 * prompts have as many equal numbers in front as they have equal blocks.
 *
 * Blocks grow with their distance from the beginning, by an eighth: where two prompts part is known to an eighth of the
 * length, and a prompt of any length has few blocks.
 *
 * 1. Equal scopes and texts give equal hashes; the hash at a place differs as soon as the scope or a text before it does
 *    (but for a chance of 2^-53).
 * 2. At most `blocksMax` hashes are made, and at most `bytesMax` bytes read, whatever the prompt.
 * 3. Whoever does not know the key cannot say which prompts collide, nor which server is the favorite of one.
 */
import { randomBytes } from 'node:crypto'

export const blockBytesMin = 512
/** Longest beginning that counts; about 64 000 tokens of English. */
export const bytesMax = 262_144

/** Blocks are whole words of the hash. */
const edgeAfter = (edge: number): number => edge + Math.max(blockBytesMin, (edge >>> 3) & ~3)

function edgesWithin(bytes: number): number[] {
  const edges: number[] = []
  for (let edge = edgeAfter(0); edge <= bytes; edge = edgeAfter(edge)) edges.push(edge)
  return edges
}

/** Where blocks end, in bytes from the beginning. */
const edges: readonly number[] = edgesWithin(bytesMax)
export const blocksMax = edges.length

/** Bytes of the first `blocks` blocks. */
export const bytesOf = (blocks: number): number => edges[Math.min(blocks, blocksMax) - 1] ?? 0

/** Ends a text. It is in no UTF-8, so `['ab', 'c']` and `['a', 'bc']` are not the same. */
const textEnd = 0xff

const encoder = new TextEncoder()

export class PromptBlocks {
  readonly #key: Buffer
  /** Copying a text and hashing the copy takes a fifth of what reading its characters one by one would. */
  readonly #bytes = Buffer.alloc(bytesMax + 8)
  readonly #words = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length / 4)

  /**
   * @param key 8 secret bytes. Gateways with the same key agree on where a prompt goes that none of them has seen; by
   * default each process has its own.
   */
  constructor(key: Uint8Array = randomBytes(8)) {
    if (key.length !== 8) throw new RangeError('a key of prompt blocks has 8 bytes')
    this.#key = Buffer.from(key)
  }

  /** The hashes of the whole blocks of these texts. `scope`: whose prompt for which model; others share no hash. */
  of(scope: readonly string[], texts: Iterable<string>): number[] {
    const hash = new RunningHash(this.#key)
    hash.add(this.#words, 0, Math.ceil(this.#write(scope) / 4))
    const length = this.#write(texts)
    const blocks: number[] = []
    let from = 0
    for (const edge of edges) {
      if (edge > length) break
      hash.add(this.#words, from, edge / 4)
      blocks.push(hash.digest())
      from = edge / 4
    }
    return blocks
  }

  /** Writes as much of the texts as counts and a word of zeros behind them; returns how many bytes are theirs. */
  #write(texts: Iterable<string>): number {
    let length = 0
    for (const text of texts) {
      // `Buffer.write` takes seven times as long where a text does not fit.
      length += encoder.encodeInto(text, this.#bytes.subarray(length, bytesMax)).written
      // A character that would not fit whole is not written at all.
      if (length > bytesMax - 4) break
      this.#bytes[length++] = textEnd
    }
    this.#bytes.fill(0, length, length + 4)
    return length
  }
}

/** HalfSipHash-1-3 (Aumasson and Bernstein 2012; the variant for words of 32 bits) that can be asked on the way. */
class RunningHash {
  readonly #state: Int32Array

  constructor(key: Buffer) {
    const [k0, k1] = [key.readInt32LE(0), key.readInt32LE(4)]
    this.#state = Int32Array.of(k0, k1 ^ 0xee, k0 ^ 0x6c796765, k1 ^ 0x74656462)
  }

  add(words: Int32Array, from: number, to: number): void {
    mix(this.#state, words, from, to)
  }

  /** 53 bits of what was added so far; what is added later goes on from there. */
  digest(): number {
    const state = Int32Array.from(this.#state)
    xor(state, 2, 0xee)
    mix(state, zeros, 0, 3)
    const low = (at(state, 1) ^ at(state, 3)) >>> 0
    xor(state, 1, 0xdd)
    mix(state, zeros, 0, 3)
    return ((at(state, 1) ^ at(state, 3)) >>> 11) * 2 ** 32 + low
  }
}

/** A round without a word is a round with 0. */
const zeros = new Int32Array(3)

/** One round for each word; in local variables, which the compiler keeps in registers. */
function mix(state: Int32Array, words: Int32Array, from: number, to: number): void {
  let [v0, v1, v2, v3] = [at(state, 0), at(state, 1), at(state, 2), at(state, 3)]
  for (let i = from; i < to; i++) {
    const word = at(words, i)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v2 = (v2 + v3) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0
    v2 = (v2 + v1) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
}

const at = (words: Int32Array, index: number): number => words[index] as number

function xor(words: Int32Array, index: number, value: number): void {
  words[index] = at(words, index) ^ value
}
