import type { Call, Json } from './call.ts'
import { isObject } from './field.ts'

/** A string, or whatever else gives code units one by one. */
export interface CodeUnits {
  readonly length: number
  charCodeAt(index: number): number
}

/**
 * Upper estimate of the tokens in a text: one look at each code unit. Exact tokenizers are quadratic on long words
 * (measured: 160 kB of `a` take 21 s), so none runs here; the model server's own count settles the difference later.
 *
 * The weights lean on the larger side of what o200k, cl100k, Llama 3, Qwen and Gemma count. Never more than the bytes of
 * the text in UTF-8, which bounds every byte-level tokenizer.
 */
export function estimateTokens(text: CodeUnits): number {
  const meter = new TokenMeter()
  for (let at = 0; at < text.length; at += 1) meter.read(text.charCodeAt(at))
  return meter.total()
}

const NONE = 0
const SPACE = 1
const LINE = 2
const PUNCTUATION = 3
const DIGIT = 4
const LOWER = 5
const UPPER = 6

const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code)
  if (/[a-z]/.test(letter)) return LOWER
  if (/[A-Z]/.test(letter)) return UPPER
  if (/[0-9]/.test(letter)) return DIGIT
  if (/[ \t]/.test(letter)) return SPACE
  return /[\r\n]/.test(letter) ? LINE : PUNCTUATION
})

/** Tokens of one code unit outside of ASCII. A chain of comparisons: a table walked in a loop was several times slower. */
function weightOf(code: number): number {
  if (code >= 0x2c00) return code < 0xd800 ? 1.1 : rareWeightOf(code) // CJK, Hangul
  if (code <= 0x024f) return 0.75 // Latin with diacritics
  if (code <= 0x036f) return 1 // phonetic and combining signs
  if (code <= 0x06ff) return 0.55 // Greek, Cyrillic, Hebrew, Arabic
  return code <= 0x1fff ? 1 : 1.25 // Indic scripts, Thai, ...; signs
}

function rareWeightOf(code: number): number {
  if (code <= 0xdfff) return 2 // half of a surrogate pair: emoji take two to four tokens
  return code <= 0xf8ff ? 3 : 1.25 // private use: byte by byte; compatibility forms
}

/** Longer unbroken letters and digits are no words: base64, hex, `aaaa...`. Random base64 has 1.47 bytes per token. */
const wordLengthMax = 24
const unitsPerRandomToken = 1.4

/** Splits ASCII as tokenizers do before they merge (words at case changes, digits, punctuation, space), by a fixed state. */
class TokenMeter {
  #tokens = 0
  #kind: number = NONE
  #length = 0
  #wordLength = 0
  #wordTokens = 0

  read(code: number): void {
    const kind = code < 128 ? (asciiKinds[code] ?? NONE) : NONE
    if (kind === NONE) this.#tokens += weightOf(code)
    if (kind === this.#kind) {
      this.#length += 1
      return
    }
    // `Word` is one piece, `wordWord` is two.
    const capital = this.#kind === UPPER && kind === LOWER && this.#length === 1
    if (!capital) this.#endPiece(kind)
    this.#kind = kind
    this.#length += 1
  }

  total(): number {
    this.#endPiece(NONE)
    this.#kind = NONE
    return Math.ceil(this.#tokens)
  }

  #endPiece(next: number): void {
    const cost = costOf(this.#kind, this.#length)
    if (this.#kind >= DIGIT) {
      this.#wordTokens += cost
      this.#wordLength += this.#length
      if (next < DIGIT) this.#endWord()
    } else this.#tokens += cost
    this.#length = 0
  }

  #endWord(): void {
    const unbroken = this.#wordLength >= wordLengthMax ? this.#wordLength / unitsPerRandomToken : 0
    this.#tokens += Math.max(this.#wordTokens, unbroken)
    this.#wordLength = 0
    this.#wordTokens = 0
  }
}

/** Tokens of one piece of ASCII; never more than its length. */
function costOf(kind: number, length: number): number {
  if (kind === LOWER) return 1 + Math.max(0, length - 6) / 4 + Math.max(0, length - 12) / 4
  if (kind === UPPER) return 1 + (length - 1) / 2.5
  if (kind === DIGIT) return length // Qwen and Gemma: one token a digit
  if (kind === PUNCTUATION) return 1 + (Math.min(length, 4) - 1) * 0.4 + Math.max(0, length - 4) * 0.7
  if (kind === LINE) return 1 + (length - 1) / 2
  if (kind === SPACE) return length === 1 ? 0.05 : 1 + length / 16
  return 0
}

/** What a template adds around a message, and around the whole prompt. */
const tokensPerMessage = 5
const tokensPerPrompt = 12
/** High-resolution tiles of common vision models; the largest take 1500. */
const tokensPerImage = 1_500
/** Bytes of base64 per token of sound: 16 kB/s of mp3 at 25 tokens/s. */
const audioUnitsPerToken = 850

/** Upper estimate of the prompt tokens of a call, over all its prompts. */
export function estimateCall(call: Call): number {
  const { prompt, input, messages, ...rest } = call.fields
  const texts = estimateJson(prompt) + estimateJson(input) + estimateJson(rest['suffix'])
  const messageCount = Array.isArray(messages) ? messages.length : 0
  const templated = estimateJson(messages) + messageCount * tokensPerMessage
  return texts + templated + estimateTools(rest) + call.prompts * tokensPerPrompt
}

/** Tool schemas, documents and response schemas are shown to the model as JSON. */
function estimateTools(fields: Call['fields']): number {
  const shown = ['tools', 'functions', 'documents', 'response_format', 'structured_outputs']
  const present = shown.flatMap((name) => fields[name] ?? [])
  return present.length === 0 ? 0 : estimateTokens(JSON.stringify(present))
}

/** Text in a value at any depth; media by kind, never by their base64. */
function estimateJson(value: Json | undefined): number {
  if (typeof value === 'string') return estimateTokens(value)
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + estimateJson(element), 0)
  if (!isObject(value)) return 0
  if (value['type'] === 'image_url') return tokensPerImage
  if (value['type'] === 'input_audio') return audioTokens(value['input_audio'])
  return estimateJson(Object.values(value))
}

function audioTokens(audio: Json | undefined): number {
  const data = isObject(audio) ? audio['data'] : undefined
  return typeof data === 'string' ? Math.ceil(data.length / audioUnitsPerToken) : 0
}
