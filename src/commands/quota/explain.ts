import { readFileSync } from 'node:fs'
import { jsonText, plain } from '../plain-text.ts'
import { readInput } from '../redact-input.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { table } from '../table.ts'
import { type AskedLimit, type Explained, explainedOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import { type Rule, textOf } from './rule.ts'
import { duration, instant } from './units.ts'

export interface ExplainOptions extends JsonOption, ConnectionOptions {
  /** File with the token of the caller, who is not the operator. */
  readonly forToken?: string
  readonly tenant?: string
  readonly role?: readonly string[]
  readonly principal?: string
  readonly scope?: readonly string[]
  readonly endpoint: string
  readonly model?: string
  readonly inputTokens?: number
  readonly maxTokens?: number
  readonly n?: number
  /** Text of a prompt; `-` reads standard input. */
  readonly sample?: string
}

/** The API takes 64 KiB, in JSON. */
const SAMPLE_BYTES_MAX = 48 * 1024

/** `sallyport quota explain`: what would become of a call, step by step. Nothing is charged. */
export async function quotaExplain(options: ExplainOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { json, endpoint, model, inputTokens, maxTokens, n } = options
  if (endpoint !== 'models' && model === undefined)
    throw new CommandFailed(`--model is missing: which model of ${endpoint}?`, exitCodes.usage)
  const asked = {
    ...callerOf(options),
    endpoint,
    model,
    input_tokens: inputTokens,
    max_tokens: maxTokens,
    n,
    sample: await sampleOf(options),
  }
  const { body } = await withClient(options, surroundings, (client) =>
    client.ask('POST', '/admin/v1/explain', { body: asked }),
  )
  surroundings.out(json ? jsonText(body) : explainText(explainedOf(body)))
  return exitCodes.ok
}

function callerOf({ forToken, tenant, role, principal, scope }: ExplainOptions): object {
  const isClaims = tenant !== undefined || role !== undefined || principal !== undefined
  if ((forToken === undefined) !== isClaims)
    throw new CommandFailed(
      'Who calls? Either --for-token FILE, or --tenant NAME with --role NAME.',
      exitCodes.usage,
    )
  if (forToken !== undefined) return { token: readToken(forToken) }
  if (tenant === undefined || role === undefined)
    throw new CommandFailed('Who calls? --tenant NAME needs --role NAME beside it.', exitCodes.usage)
  return { claims: { tenant, roles: role, principal, scopes: scope } }
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

async function sampleOf({ sample }: ExplainOptions): Promise<string | undefined> {
  const text = sample === '-' ? await readInput('-') : sample
  if (text !== undefined && Buffer.byteLength(text) > SAMPLE_BYTES_MAX)
    throw new CommandFailed(
      `A sample has at most ${SAMPLE_BYTES_MAX} bytes; for more, say --input-tokens.`,
      exitCodes.usage,
    )
  return text
}

const traceColumns = [
  { title: ' ', align: 'right' },
  { title: 'STEP' },
  { title: 'OUTCOME' },
  { title: 'DETAIL' },
] as const

const redactionColumns = [
  { title: 'ENTITY' },
  { title: 'ACTION' },
  { title: 'COUNT', align: 'right' },
] as const

const limitColumns = [
  { title: 'BUCKET' },
  { title: 'ASKED', align: 'right' },
  { title: 'USED', align: 'right' },
  { title: 'REMAINING', align: 'right' },
  { title: 'EMPTY IN', align: 'right' },
  { title: 'VERDICT' },
  { title: 'WAIT', align: 'right' },
  { title: 'SET BY' },
  { title: 'CONFIG' },
  { title: 'OPERATOR' },
  { title: 'OVERRIDE' },
] as const

function explainText({ allowed, trace, limits, redaction }: Explained): string {
  const steps = trace.map(({ step, outcome, detail, code }, index) => {
    const parts = [code, detail].filter((part) => part !== '')
    return [String(index + 1), step, outcome, parts.join(': ')]
  })
  const refused = trace.find(({ outcome }) => outcome === 'refuse')
  const verdict = allowed
    ? 'This call would pass.'
    : `This call would be refused${refused === undefined ? '' : ` at step ${plain(refused.step)}`}.`
  const limited = limits.length === 0 ? '' : `\n${table(limitColumns, limits.map(limitRow))}`
  return `${verdict} Nothing was charged.\n\n${table(traceColumns, steps)}${limited}${redactionText(redaction)}`
}

const limitRow = (limit: AskedLimit): string[] => [
  limit.key || limit.name,
  String(limit.asked ?? '-'),
  String(limit.used),
  String(limit.remaining),
  limit.resetMs === 0 ? '-' : duration(limit.resetMs),
  limit.verdict,
  waitText(limit),
  limit.source,
  ...['config', 'operator', 'override'].map((name) => layerText(limit.overlay[name])),
]

export const waitText = ({ waitMs }: Pick<AskedLimit, 'waitMs'>): string => {
  if (waitMs === Number.POSITIVE_INFINITY) return 'never'
  return waitMs === 0 ? '-' : duration(waitMs)
}

/** What one layer says about a limit. */
function layerText(layer: unknown): string {
  if (typeof layer !== 'object' || layer === null) return '-'
  const [amount, until] = ['amount', 'until'].map((field) => textOf(layer as Rule, field))
  return until === '' ? (amount as string) : `${amount} until ${instant(until as string)}`
}

function redactionText({ profile, findings }: Explained['redaction']): string {
  if (findings.length === 0) return ''
  const rows = findings.map(({ entity, action, count }) => [entity, action, String(count)])
  const title = `Redaction of the sample, profile ${plain(profile)}: counts, never values`
  return `\n${title}\n${table(redactionColumns, rows)}`
}
