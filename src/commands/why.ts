import { type RefusalCode, refusals } from '../refusal.ts'
import { jsonText, plain } from './plain-text.ts'
import { type AskedLimit, type Decision, decisionOf } from './quota/answers.ts'
import { parseKey } from './quota/bucket-key.ts'
import { type ConnectionOptions, withClient } from './quota/connection.ts'
import { OpsFailure } from './quota/failure.ts'
import type { JsonOption } from './quota/list.ts'
import { amountText, duration, instant, whomText } from './quota/units.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

/** `sallyport why REQUEST_ID`: why a call was refused, and what to do about it. */
export async function why(
  requestId: string,
  { json, ...connection }: JsonOption & ConnectionOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const path = `/admin/v1/decisions/${checkedId(requestId)}`
  const { body } = await withClient(connection, surroundings, (client) => client.ask('GET', path)).catch(
    (error) => unknown(requestId, error),
  )
  surroundings.out(json ? jsonText(body) : decisionText(decisionOf(body)))
  return exitCodes.ok
}

/** As in the x-request-id header; a path of the API is made of it. */
function checkedId(id: string): string {
  if (/^(?!\.{1,2}$)[\w.:@-]{1,200}$/.test(id)) return encodeURIComponent(id)
  throw new CommandFailed(
    'A request id is as the x-request-id header and gateway.request_id of an error have it.',
    exitCodes.usage,
  )
}

function unknown(id: string, error: unknown): never {
  if (!(error instanceof OpsFailure) || error.status !== 404) throw error
  throw new CommandFailed(
    `No refusal of request ${id} is recorded: it was not refused, was more than a day ago, or came to another replica. The audit log has every request: look for the id there.`,
  )
}

/** Sentences, with everything that came from callers made plain. */
export function decisionText(decision: Decision): string {
  const { requestId, time, code, detail, limits, policy } = decision
  const deciding = limitCodes.includes(code) ? limits[0] : undefined
  const others = limits.filter((limit) => limit !== deciding)
  const lines = [
    `Request ${requestId} was refused at ${instant(time)}: ${code}${deciding === undefined ? '' : `, by limit ${deciding.name}`}.`,
    whoText(decision),
    ...(deciding === undefined ? [`Reason: ${detail || 'none was recorded'}.`] : limitText(deciding)),
    ...others.map((limit) => `Also asked: ${shortText(limit)}.`),
    ...(policy === '' ? [] : [`Policy: ${policy}.`]),
    '',
    'What to do:',
    ...adviceFor(code, deciding).map((line) => `  ${line}`),
  ]
  return lines.map((line) => `${plain(line)}\n`).join('')
}

function whoText({ principal, tenant, roles, endpoint, model }: Decision): string {
  const who = principal === '' ? 'Nobody who is known' : principal
  const ofTenant = tenant === '' ? '' : ` of tenant ${tenant}`
  const as = roles.length === 0 ? '' : `, as ${roles.join(', ')}`
  const what = `${endpoint || 'an endpoint'}${model === '' ? '' : ` with model ${model}`}`
  return `${who}${ofTenant}${as} asked for ${what}.`
}

function limitText(limit: AskedLimit): string[] {
  const { name, key, used, asked, waitMs, source } = limit
  const wait =
    waitMs === Number.POSITIVE_INFINITY
      ? 'it is larger than the limit and would never have passed'
      : `it would have passed after ${duration(waitMs)}`
  return [
    `${name}: ${amountOf(limit)} for ${whomText(key)}; used ${used}, ${askedText(asked)}; ${wait}. Set by: ${source || 'unknown'}.`,
    `Bucket: ${key}`,
  ]
}

const amountOf = ({ amount, key }: AskedLimit): string => {
  const { counts, per } = parseKey(key)
  return amountText(amount, counts, per)
}

const shortText = (limit: AskedLimit): string =>
  `${limit.name}, ${amountOf(limit)} for ${whomText(limit.key)}; used ${limit.used}, ${askedText(limit.asked)}`

const askedText = (asked: number | undefined): string =>
  asked === undefined ? 'what it asked was not known yet' : `asked ${asked}`

const limitCodes: readonly string[] = [
  'rate_limit_exceeded',
  'insufficient_quota',
  'concurrency_limit_exceeded',
  'request_above_limit',
] satisfies RefusalCode[]

function adviceFor(code: string, limit: AskedLimit | undefined): string[] {
  const row = Object.hasOwn(refusals, code) ? refusals[code as RefusalCode] : undefined
  const caller = row === undefined ? [] : [`The caller was told: ${row.message}`]
  const page = `docs/reference/errors.md#${code}`
  if (limit === undefined) return [...caller, `More: ${page}`]
  return [...caller, ...operatorAdvice(limit), `More: ${page}`]
}

/** Command lines that can be copied. */
function operatorAdvice({ name, key }: AskedLimit): string[] {
  const match = parseKey(key).dimensions.map(([dimension, value]) => `${dimension}=${value}`)
  const forSome =
    match.length === 0
      ? []
      : [
          `For a time, for these callers: sallyport quota override ${quoted(name)} ${match.map((pair) => `--match ${quoted(pair)}`).join(' ')} --amount N --for 1h --reason "..."`,
        ]
  return [
    ...forSome,
    `For good, for everybody under it: sallyport quota set ${quoted(name)} --amount N`,
    `Who uses it now: sallyport quota usage --limit ${quoted(name)}`,
  ]
}

/** For a shell: the value of a claim may hold anything. */
const quoted = (text: string): string =>
  /^[\w./=@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
