// Writes a random-weight "llama" model of 1.2 MB that llama-server loads: a real tokenizer, sampler and cache, and
// words that mean nothing. Needs nothing but Node.js; the same corpus gives the same file.
//   node make-tiny-gguf.mjs OUT.gguf [CORPUS.txt ...]
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const width = 64
const layers = 2
const heads = 4
const feedForward = 128
const contextTokens = 32_768
const mergesMax = 1_200
const corpusCharsMax = 60_000
const alignment = 32
const spaceMark = '\u2581'

/** Any English text will do; the first that is there is taken, the project's own licence at the latest. */
const corpora = [
  '/usr/share/common-licenses/GPL-3',
  fileURLToPath(new URL('../../LICENSE', import.meta.url)),
  fileURLToPath(import.meta.url),
]

/** mulberry32: small, and the same on every machine. */
function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const uniform = randomNumbers(42)
const gauss = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform())

/** Words of the corpus as sequences of characters, each with its count. */
function countWords(files) {
  const text = files
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
    .replace(/\s+/g, ' ')
    .slice(0, corpusCharsMax)
  const counts = new Map()
  for (const word of text.split(' ')) {
    if (word !== '') counts.set(spaceMark + word, (counts.get(spaceMark + word) ?? 0) + 1)
  }
  return [...counts].map(([word, count]) => ({ pieces: Array.from(word), count }))
}

function commonestPair(words) {
  const counts = new Map()
  for (const { pieces, count } of words) {
    for (let i = 0; i + 1 < pieces.length; i++) {
      const pair = `${pieces[i]}\0${pieces[i + 1]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  }
  let best
  let most = 1
  for (const [pair, count] of counts) if (count > most) [best, most] = [pair, count]
  return best?.split('\0')
}

function mergePair(pieces, [first, second]) {
  const merged = []
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === first && pieces[i + 1] === second) merged.push(first + pieces[++i])
    else merged.push(pieces[i])
  }
  return merged
}

/** Byte-pair encoding, learned: the merged pieces in the order of their merging. Changes the words. */
function learnMerges(words) {
  const merges = []
  while (merges.length < mergesMax) {
    const pair = commonestPair(words)
    if (pair === undefined) break
    merges.push(pair.join(''))
    for (const word of words) word.pieces = mergePair(word.pieces, pair)
  }
  return merges
}

const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 }

/** A SentencePiece-style vocabulary: control tokens, one token a byte, the merges, single characters. */
function makeVocabulary(merges) {
  const entries = []
  const seen = new Set()
  const add = (token, score, kind) => {
    if (seen.has(token)) return
    seen.add(token)
    entries.push({ token, score, kind })
  }
  add('<unk>', 0, kinds.unknown)
  for (const token of ['<s>', '</s>', '<|im_start|>', '<|im_end|>']) add(token, 0, kinds.control)
  // Tokens of their own, as Hermes and Qwen have: a caller's logit_bias on id 5 makes the model call a tool.
  for (const token of ['<tool_call>', '</tool_call>']) add(token, 0, kinds.userDefined)
  for (let byte = 0; byte < 256; byte++) {
    add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0, kinds.byte)
  }
  merges.forEach((token, rank) => {
    add(token, -(rank + 1), kinds.normal)
  })
  add(spaceMark, -2_000, kinds.normal)
  for (let code = 33; code < 127; code++) add(String.fromCharCode(code), -2_000 - code, kinds.normal)
  return entries
}

/** Log-frequencies, used as a bias of the output: they make the noise look like words. */
function outputBias(vocabulary, words) {
  const counts = new Map()
  for (const { pieces, count } of words) {
    for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + count)
  }
  const ends = new Set(['</s>', '<|im_end|>'])
  return vocabulary.map(({ token, kind }) => {
    if (ends.has(token)) return 0.5
    return kind === kinds.normal ? Math.log((counts.get(token) ?? 0) + 0.05) : -30
  })
}

function matrix(name, dimensions, valueAt) {
  const values = new Float32Array(dimensions.reduce((product, size) => product * size, 1))
  for (let i = 0; i < values.length; i++) values[i] = valueAt(i)
  return { name, dimensions, values }
}

/** Feature 0 of the hidden state is a constant that no layer writes: it carries the output bias. */
const constant = 4
const spread = 0.02

function layerTensors(layer) {
  const named = (name) => `blk.${layer}.${name}.weight`
  const noise = () => spread * gauss()
  const square = (name, valueAt) => matrix(named(name), [width, width], valueAt)
  return [
    matrix(named('attn_norm'), [width], () => 1),
    matrix(named('ffn_norm'), [width], () => 1),
    ...['attn_q', 'attn_k', 'attn_v'].map((name) => square(name, noise)),
    square('attn_output', (i) => (i < width ? 0 : noise())),
    matrix(named('ffn_gate'), [width, feedForward], noise),
    matrix(named('ffn_up'), [width, feedForward], noise),
    matrix(named('ffn_down'), [feedForward, width], (i) => (i < feedForward ? 0 : noise())),
  ]
}

function makeTensors(bias) {
  const size = bias.length
  const normalized = constant / Math.sqrt((constant * constant + (width - 1) * 0.09) / width)
  return [
    matrix('token_embd.weight', [width, size], (i) => (i % width === 0 ? constant : 0.3 * gauss())),
    ...Array.from({ length: layers }, (_, layer) => layerTensors(layer)).flat(),
    matrix('output_norm.weight', [width], () => 1),
    matrix('output.weight', [width, size], (i) =>
      i % width === 0 ? bias[i / width] / normalized : 0.35 * gauss(),
    ),
  ]
}

const template =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

// GGUF version 3, little-endian: magic, version, counts, metadata, tensor table, tensor data.
const u32 = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const u64 = (value) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
const f32 = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}
const text = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
const entry = (key, type, value) => Buffer.concat([text(key), u32(type), value])
const integer = (key, value) => entry(key, 4, u32(value))
const real = (key, value) => entry(key, 6, f32(value))
const truth = (key, value) => entry(key, 7, Buffer.from([value ? 1 : 0]))
const string = (key, value) => entry(key, 8, text(value))
const list = (key, type, encoded) =>
  entry(key, 9, Buffer.concat([u32(type), u64(encoded.length), ...encoded]))

function metadata(vocabulary) {
  const sizes = {
    context_length: contextTokens,
    embedding_length: width,
    block_count: layers,
    feed_forward_length: feedForward,
    'attention.head_count': heads,
    'attention.head_count_kv': heads,
    'rope.dimension_count': width / heads,
    vocab_size: vocabulary.length,
  }
  return [
    string('general.architecture', 'llama'),
    string('general.name', 'tiny-random'),
    integer('general.file_type', 0),
    ...Object.entries(sizes).map(([key, value]) => integer(`llama.${key}`, value)),
    real('llama.attention.layer_norm_rms_epsilon', 1e-5),
    string('tokenizer.ggml.model', 'llama'),
    string('tokenizer.ggml.pre', 'default'),
    list(
      'tokenizer.ggml.tokens',
      8,
      vocabulary.map(({ token }) => text(token)),
    ),
    list(
      'tokenizer.ggml.scores',
      6,
      vocabulary.map(({ score }) => f32(score)),
    ),
    list(
      'tokenizer.ggml.token_type',
      5,
      vocabulary.map(({ kind }) => u32(kind)),
    ),
    integer('tokenizer.ggml.bos_token_id', 1),
    integer('tokenizer.ggml.eos_token_id', 4),
    integer('tokenizer.ggml.unknown_token_id', 0),
    truth('tokenizer.ggml.add_bos_token', true),
    truth('tokenizer.ggml.add_eos_token', false),
    // With a space before the text that follows a control token, llama-server's own grammars would not match.
    truth('tokenizer.ggml.add_space_prefix', false),
    string('tokenizer.chat_template', template),
  ]
}

const padding = (length) => Buffer.alloc((alignment - (length % alignment)) % alignment)
const bytesOf = ({ values }) => Buffer.from(values.buffer)

function tensorTable(tensors) {
  let offset = 0
  return tensors.map((tensor) => {
    const sizes = Buffer.concat(tensor.dimensions.map(u64))
    const row = Buffer.concat([text(tensor.name), u32(tensor.dimensions.length), sizes, u32(0), u64(offset)])
    offset += tensor.values.byteLength + padding(tensor.values.byteLength).length
    return row
  })
}

function encode(vocabulary, tensors) {
  const entries = metadata(vocabulary)
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries,
    ...tensorTable(tensors),
  ])
  const data = tensors.flatMap((tensor) => [bytesOf(tensor), padding(tensor.values.byteLength)])
  return Buffer.concat([head, padding(head.length), ...data])
}

const [out = 'tiny.gguf', ...files] = process.argv.slice(2)
const words = countWords(files.length > 0 ? files : [corpora.find((file) => existsSync(file))])
const merges = learnMerges(words)
const vocabulary = makeVocabulary(merges)
writeFileSync(out, encode(vocabulary, makeTensors(outputBias(vocabulary, words))))
process.stdout.write(`${out}: ${vocabulary.length} tokens, ${(statSync(out).size / 1e6).toFixed(2)} MB\n`)
