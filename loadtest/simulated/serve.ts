import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { answer, EndedByScript, endNow, type Turn } from './answer.ts'
import { embeddingReply } from './embedding.ts'
import type { FailureType, ModelServerOptions } from './options.ts'
import { type Random, seededRandom } from './random.ts'
import { newStats, type RecordedRequest, renderMetrics, type Stats } from './record.ts'
import {
  ApiError,
  type Ask,
  badRequest,
  parseChat,
  parseCompletion,
  parseEmbedding,
  parseFields,
} from './request.ts'
import { parseScript, type Script } from './script.ts'
import { Slots } from './slots.ts'
import { Gone, Wire } from './wire.ts'

const marker = 'x-simulate:'

/** Administrative and unauthenticated paths of vLLM, SGLang and llama.cpp that must never be reached through a gateway. */
const adminPaths = new Set(
  `/pause /resume /is_paused /scale_elastic_ep /is_scaling_elastic_ep /init_weight_transfer_engine /update_weights
  /get_world_size /abort_requests /tokenizer_info /v1/load_lora_adapter /v1/unload_lora_adapter /server_info
  /reset_prefix_cache /reset_mm_cache /reset_encoder_cache /sleep /wake_up /is_sleeping /collective_rpc /start_profile
  /stop_profile /docs /openapi.json /redoc /invocations /pooling /classify /score /v1/score /rerank /v1/rerank /v2/rerank
  /generative_scoring /tokenize /detokenize /inference/v1/generate /v1/chat/completions/batch
  /v1/chat/completions/render /v1/completions/render /flush_cache /update_weights_from_disk /load_lora_adapter
  /unload_lora_adapter /abort_request /get_server_info /props /slots /slots/0 /lora-adapters /infill /v1/stream
  /admin/config /fake_metrics /load`.split(/\s+/),
)

const injected: Readonly<Record<FailureType, () => ApiError>> = {
  rate_limit: () => new ApiError(429, 'rate_limit_exceeded', 'Rate limit reached'),
  invalid_api_key: () => new ApiError(401, 'authentication_error', 'Incorrect API key provided'),
  context_length: () => badRequest("This model's maximum context length is 1 tokens."),
  server_error: () => new ApiError(503, 'server_error', 'Server overloaded'),
  invalid_request: () => badRequest('Invalid request'),
  model_not_found: () => new ApiError(404, 'NotFoundError', 'The model does not exist.'),
}

/** The server without its sockets: takes requests, answers them, keeps count. */
export class Simulation {
  readonly stats: Stats = newStats()
  readonly requests: RecordedRequest[] = []
  readonly #options: ModelServerOptions
  readonly #names: readonly string[]
  readonly #slots: Slots
  readonly #random: Random

  constructor(options: ModelServerOptions) {
    this.#options = options
    this.#names = options.servedModelNames.length > 0 ? options.servedModelNames : [options.model]
    this.#slots = new Slots(options.maxNumSeqs, options.maxWaitingQueueLength, this.stats)
    this.#random = seededRandom(options.seed)
  }

  /** Answers one request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = new Wire(response)
    try {
      const record = await this.#record(request)
      await this.#route(record, wire)
    } catch (error) {
      this.#fail(error, wire)
    }
  }

  async #record(request: IncomingMessage): Promise<RecordedRequest> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > this.#options.requestBodyBytesMax)
        throw new ApiError(413, 'BadRequestError', 'the body is too large')
      chunks.push(chunk)
    }
    const { socket } = request
    const record = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks).toString('utf8'),
      clientName: socket instanceof TLSSocket ? commonName(socket) : undefined,
    }
    this.stats.requests++
    this.requests.push(record)
    if (this.requests.length > this.#options.requestsKeptMax) this.requests.shift()
    return record
  }

  async #route(record: RecordedRequest, wire: Wire): Promise<void> {
    const path = record.path.split('?', 1)[0] ?? ''
    if (adminPaths.has(path)) {
      this.stats.adminHits[path] = (this.stats.adminHits[path] ?? 0) + 1
      wire.json(200, {})
      return
    }
    this.#authorize(record, path)
    switch (`${record.method} ${path}`) {
      case 'POST /v1/chat/completions':
        return this.#infer('chat', record, wire, parseChat)
      case 'POST /v1/completions':
        return this.#infer('completions', record, wire, parseCompletion)
      case 'POST /v1/embeddings':
        return this.#infer('embeddings', record, wire, parseEmbedding)
      default:
        this.#look(record.method, path, wire)
    }
  }

  #look(method: string, path: string, wire: Wire): void {
    const pages: Readonly<Record<string, () => void>> = {
      '/v1/models': () =>
        wire.json(200, { object: 'list', data: this.#names.map((name) => this.#card(name)) }),
      '/health': () => wire.json(200, {}),
      '/ping': () => wire.json(200, {}),
      '/version': () => wire.json(200, { version: '0.0.0-simulated' }),
      '/metrics': () => {
        wire.response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        wire.response.end(renderMetrics(this.stats, this.#names[0] ?? '', this.#options.maxNumSeqs))
      },
    }
    const page = method === 'GET' && Object.hasOwn(pages, path) ? pages[path] : undefined
    if (page) page()
    else {
      this.stats.unknownPaths++
      wire.json(404, { detail: 'Not Found' })
    }
  }

  #card(id: string): Record<string, unknown> {
    const { model, maxModelLen } = this.#options
    return {
      id,
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'vllm',
      root: model,
      max_model_len: maxModelLen,
    }
  }

  #authorize({ headers }: RecordedRequest, path: string): void {
    const { apiKey } = this.#options
    if (apiKey === undefined || !path.startsWith('/v1') || headers.authorization === `Bearer ${apiKey}`)
      return
    const refusal = new ApiError(401, '', 'Unauthorized')
    // vLLM's own shape: a string.
    throw Object.assign(refusal, { body: { error: 'Unauthorized' } })
  }

  async #infer(
    endpoint: Turn['endpoint'] | 'embeddings',
    record: RecordedRequest,
    wire: Wire,
    parse: (fields: ReturnType<typeof parseFields>, maxModelLen: number) => Ask,
  ): Promise<void> {
    const script = this.#options.script?.(record) ?? scriptInHeader(record)
    if (script?.raw) return sendRaw(wire, script.raw)
    const ask = parse(parseFields(record.body), this.#options.maxModelLen)
    if (!this.#names.includes(ask.model)) {
      throw new ApiError(404, 'NotFoundError', 'The model does not exist.')
    }
    this.#injectFailure()
    const turn: Turn = {
      id: `${endpoint === 'chat' ? 'chatcmpl' : 'cmpl'}-${this.stats.requests}`,
      endpoint: endpoint === 'completions' ? 'completions' : 'chat',
      ask,
      script: script ?? scriptInPrompt(ask) ?? {},
      options: this.#options,
      body: record.body,
      wire,
      stats: this.stats,
      phase: 'queued',
    }
    await this.#run(turn, endpoint === 'embeddings')
  }

  async #run(turn: Turn, embedding: boolean): Promise<void> {
    let leave: (() => void) | undefined
    try {
      leave = await this.#slots.enter(turn.wire.signal)
      turn.phase = 'prefill'
      if (turn.script.end?.after === 'nothing') await endBeforeHead(turn)
      if (turn.script.body) await sendBody(turn, turn.script.body)
      else if (embedding) await sendEmbedding(turn)
      else await answer(turn)
      this.stats.completed++
    } catch (error) {
      if (error instanceof Gone) this.stats.aborted[turn.phase]++
      throw error
    } finally {
      leave?.()
    }
  }

  #injectFailure(): void {
    const { failureInjectionRate, failureTypes } = this.#options
    if (failureInjectionRate === 0 || this.#random.next() * 100 >= failureInjectionRate) return
    this.stats.failuresInjected++
    const type = failureTypes[Math.floor(this.#random.next() * failureTypes.length)] ?? 'server_error'
    throw injected[type]()
  }

  #fail(error: unknown, wire: Wire): void {
    if (error instanceof Gone || error instanceof EndedByScript) return
    if (error instanceof ApiError && !wire.response.headersSent) wire.json(error.status, error.body)
    else wire.response.destroy()
  }
}

function commonName(socket: TLSSocket): string | undefined {
  const { subject } = socket.getPeerCertificate()
  return subject === undefined ? undefined : String(subject.CN)
}

function scriptInHeader({ headers }: RecordedRequest): Script | undefined {
  const header = headers['x-simulate']
  if (header === undefined) return undefined
  return parseScript(String(header)) ?? refuseScript()
}

function scriptInPrompt({ echoes }: Ask): Script | undefined {
  const text = echoes[0] ?? ''
  if (!text.startsWith(marker)) return undefined
  return parseScript(text.slice(marker.length)) ?? refuseScript()
}

function refuseScript(): never {
  throw badRequest('x-simulate holds no script; see --help')
}

async function sendRaw(wire: Wire, raw: NonNullable<Script['raw']>): Promise<void> {
  const { socket } = wire.response
  await wire.steps(raw, (bytes) => socket?.write(bytes))
  socket?.destroySoon()
}

async function sendBody({ script, wire }: Turn, body: NonNullable<Script['body']>): Promise<void> {
  wire.head(script.status ?? 200, {
    'content-type': script.contentType ?? 'application/json',
    ...script.headers,
  })
  await wire.steps(body, (bytes) => wire.write(bytes))
  if (script.end?.how === 'stall') await wire.stall()
  if (script.end?.how === 'reset') wire.reset()
  else if (script.end?.how === 'cut') wire.cut()
  else wire.response.end()
}

async function sendEmbedding({ ask, id, wire, stats, options }: Turn): Promise<void> {
  stats.promptTokens += ask.promptTokens
  await wire.pause(options.timeToFirstTokenMs)
  wire.json(200, embeddingReply(ask, id, ask.model))
}

async function endBeforeHead(turn: Turn): Promise<void> {
  if (turn.script.end?.how === 'stall') await turn.wire.stall()
  if (turn.script.end?.how === 'reset') endNow(turn)
  turn.wire.cut()
  throw new EndedByScript()
}
