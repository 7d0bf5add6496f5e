import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { RecordedRequest } from './record.ts'
import type { Script } from './script.ts'

export const failureTypes = [
  'rate_limit',
  'invalid_api_key',
  'context_length',
  'server_error',
  'invalid_request',
  'model_not_found',
] as const
export type FailureType = (typeof failureTypes)[number]

export interface ModelServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly model: string
  readonly servedModelNames: readonly string[]
  readonly mode: 'echo' | 'random'
  /** A fixed reply: one string is cut into tokens, several are the chunks. Overrides `mode`. */
  readonly reply: readonly string[]
  readonly maxNumSeqs: number
  readonly maxWaitingQueueLength: number
  readonly maxModelLen: number
  readonly timeToFirstTokenMs: number
  readonly timeToFirstTokenStdDevMs: number
  readonly interTokenLatencyMs: number
  readonly interTokenLatencyStdDevMs: number
  /** Percent of inference requests. */
  readonly failureInjectionRate: number
  readonly failureTypes: readonly FailureType[]
  readonly seed: number
  readonly apiKey: string | undefined
  /** PEM. With `ca`, a client certificate of that authority is required. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined
  readonly requestBodyBytesMax: number
  /** Requests that are remembered; older ones are forgotten. */
  readonly requestsKeptMax: number
  /** Answers one request by hand; `undefined` leaves it to the mode. */
  readonly script: ((request: RecordedRequest) => Script | undefined) | undefined
}

export const defaultOptions: ModelServerOptions = {
  host: '127.0.0.1',
  port: 0,
  model: 'demo',
  servedModelNames: [],
  mode: 'random',
  reply: [],
  maxNumSeqs: 256,
  maxWaitingQueueLength: 1000,
  maxModelLen: 8192,
  timeToFirstTokenMs: 0,
  timeToFirstTokenStdDevMs: 0,
  interTokenLatencyMs: 0,
  interTokenLatencyStdDevMs: 0,
  failureInjectionRate: 0,
  failureTypes: ['server_error'],
  seed: 1,
  apiKey: undefined,
  tls: undefined,
  requestBodyBytesMax: 4 * 1024 * 1024,
  requestsKeptMax: 1000,
  script: undefined,
}

export const help = `A simulated model server that speaks the OpenAI API the way vLLM does. It computes nothing.

  node loadtest/model-server.ts --port 8000 --model demo

What it serves
  --host ADDRESS                    address to listen on (127.0.0.1)
  --port N                          port, 0 for any free one (8000)
  --model NAME                      model name (demo)
  --served-model-name NAME          name in the API instead of --model; may be given several times
  --max-model-len N                 prompt plus output tokens (8192)
  --max-num-seqs N                  requests that run at one time, others wait (256)
  --max-waiting-queue-length N      requests that wait, others get 429 (1000)
  --max-request-body-size-mb N      largest request body (4)

What it says
  --mode echo|random                the last user message, or words (random)
  --reply TEXT                      this text always, cut into tokens; given several times: these chunks
  --seed N                          same seed and same request: same reply and delays (1)

How fast
  --time-to-first-token MS          (0)      --time-to-first-token-std-dev MS     (0)
  --inter-token-latency MS          (0)      --inter-token-latency-std-dev MS     (0)

How it fails
  --failure-injection-rate PERCENT  share of requests that fail (0)
  --failure-types A,B               ${failureTypes.join(', ')}

Who may call
  --api-key KEY                     required as "Authorization: Bearer KEY" on /v1
  --ssl-certfile FILE --ssl-keyfile FILE   serve https
  --ssl-ca-certs FILE               require a client certificate of this authority

One request can be scripted: send a header "x-simulate: {...}", or begin the last user message (or the prompt) with
"x-simulate: {...}". The JSON may hold:
  content, reasoning, refusal       lists of chunks             {"content":["4111 11","11 1111 1111"]}
  toolCalls                         [{"name":"f","arguments":["{\\"a\\":","1}"]}]
  choices                           several of the above, sent in turn
  finishReason, usage (null: none), done (false: no [DONE])
  firstTokenMs, gapMs               delays
  status, headers, contentType, body   another answer altogether; body is a list of texts and {"waitMs":N}
  end                               {"after":3,"how":"reset"|"close"|"cut"|"stall"|"error"}, or "after":"nothing"

Also: GET /v1/models, /health, /metrics, /version. Administrative paths of vLLM answer 200 and are only counted.
`

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const

const flags = {
  help: { type: 'boolean', short: 'h' },
  host: text,
  port: text,
  model: text,
  'served-model-name': list,
  mode: text,
  reply: list,
  'max-num-seqs': text,
  'max-waiting-queue-length': text,
  'max-model-len': text,
  'max-request-body-size-mb': text,
  'time-to-first-token': text,
  'time-to-first-token-std-dev': text,
  'inter-token-latency': text,
  'inter-token-latency-std-dev': text,
  'failure-injection-rate': text,
  'failure-types': text,
  seed: text,
  'api-key': text,
  'ssl-certfile': text,
  'ssl-keyfile': text,
  'ssl-ca-certs': text,
} as const

type Flags = ReturnType<typeof readFlags>
const readFlags = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: flags, strict: true }).values

/** Reads the command line. Throws an Error whose message names the flag; `help` when help was asked for. */
export function parseFlags(args: readonly string[]): ModelServerOptions | 'help' {
  const values = readFlags(args)
  if (values.help) return 'help'
  const number = (flag: keyof Flags, fallback: number, max = 2 ** 31): number => {
    const given = values[flag]
    const value = given === undefined ? fallback : Number(given)
    if (!Number.isFinite(value) || value < 0 || value > max)
      throw new Error(`--${flag} needs a number from 0 to ${max}`)
    return value
  }
  return {
    ...defaultOptions,
    host: values.host ?? defaultOptions.host,
    port: number('port', 8000, 65_535),
    model: values.model ?? defaultOptions.model,
    servedModelNames: values['served-model-name'] ?? [],
    mode: oneOf('mode', values.mode ?? 'random', ['echo', 'random'] as const),
    reply: values.reply ?? [],
    maxNumSeqs: number('max-num-seqs', defaultOptions.maxNumSeqs),
    maxWaitingQueueLength: number('max-waiting-queue-length', defaultOptions.maxWaitingQueueLength),
    maxModelLen: number('max-model-len', defaultOptions.maxModelLen, 1_000_000),
    requestBodyBytesMax: number('max-request-body-size-mb', 4, 1024) * 1024 * 1024,
    timeToFirstTokenMs: number('time-to-first-token', 0),
    timeToFirstTokenStdDevMs: number('time-to-first-token-std-dev', 0),
    interTokenLatencyMs: number('inter-token-latency', 0),
    interTokenLatencyStdDevMs: number('inter-token-latency-std-dev', 0),
    failureInjectionRate: number('failure-injection-rate', 0, 100),
    failureTypes: (values['failure-types'] ?? 'server_error')
      .split(',')
      .map((type) => oneOf('failure-types', type, failureTypes)),
    seed: number('seed', defaultOptions.seed),
    apiKey: values['api-key'],
    tls: readTls(values),
  }
}

function oneOf<const T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new Error(`--${flag} is one of ${allowed.join(', ')}`)
  return found
}

function readTls(values: Flags): ModelServerOptions['tls'] {
  const { 'ssl-certfile': cert, 'ssl-keyfile': key, 'ssl-ca-certs': ca } = values
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Error('--ssl-certfile and --ssl-keyfile go together')
  const read = (file: string): string => readFileSync(file, 'utf8')
  return { cert: read(cert), key: read(key), ...(ca === undefined ? {} : { ca: read(ca) }) }
}
