import { type LimitRule, ruleFault } from '../../policy/limit-rule.ts'
import { CommandFailed, exitCodes } from '../surroundings.ts'
import { effectiveBurst, type Rule, textOf } from './rule.ts'

/** What `quota set` may say about a limit; what is left out stays as it is. */
export interface RuleOptions {
  readonly counts?: string
  readonly per?: string
  readonly amount?: number
  readonly burst?: number | 'default'
  readonly by?: readonly string[]
  readonly organization?: readonly string[]
  readonly tenant?: readonly string[]
  readonly principal?: readonly string[]
  readonly role?: readonly string[]
  readonly model?: readonly string[]
  readonly anybody?: boolean
  readonly mode?: string
  readonly onStoreFailure?: string
  readonly timeZone?: string
}

const globOptions = ['organization', 'tenant', 'principal', 'role', 'model'] as const
const plainOptions = ['counts', 'per', 'amount', 'by', 'mode', 'onStoreFailure', 'timeZone'] as const

/** The rule with the options in it. Throws CommandFailed when they do not make a limit. */
export function withOptions(before: Rule | undefined, options: RuleOptions): Rule {
  const said = Object.fromEntries(
    plainOptions.map((name) => [name, options[name]] as const).filter(([, value]) => value !== undefined),
  )
  const rule: Record<string, unknown> = { by: [], ...before, ...said }
  if (options.counts === 'in_flight' && options.per === undefined) delete rule['per']
  placeBurst(rule, { before, options })
  placeScope(rule, options)
  check(rule)
  return rule
}

/** A burst that nobody chose, or of another unit, does not outlive the change. */
function placeBurst(
  rule: Record<string, unknown>,
  { before, options }: { readonly before: Rule | undefined; readonly options: RuleOptions },
): void {
  const { burst } = options
  if (typeof burst === 'number') rule['burst'] = burst
  else if (burst === 'default' || before === undefined || isOfAnotherKind(before, rule) || isDefault(before))
    delete rule['burst']
}

const isOfAnotherKind = (before: Rule, rule: Rule): boolean =>
  before['counts'] !== rule['counts'] || before['per'] !== rule['per']

function isDefault(rule: Rule): boolean {
  const { burst, ...rest } = rule
  return burst === undefined || burst === null || burst === effectiveBurst(rest)
}

function placeScope(rule: Record<string, unknown>, options: RuleOptions): void {
  const globs = globOptions
    .map((name) => [`${name}s`, options[name]] as const)
    .filter(([, value]) => value !== undefined)
  const kept = options.anybody ? {} : (rule['where'] as Rule | undefined)
  const where = { ...kept, ...Object.fromEntries(globs) }
  if (Object.keys(where).length > 0) rule['where'] = where
  else delete rule['where']
}

function check(rule: Rule): void {
  const missing = ['counts', 'amount'].filter((field) => textOf(rule, field) === '')
  if (missing.length > 0)
    throw new CommandFailed(
      `There is no limit of that name yet. A new one needs ${missing.map((field) => `--${field}`).join(', ')}.`,
      exitCodes.usage,
    )
  const fault = ruleFault({ timeZone: 'UTC', ...rule } as LimitRule)
  if (fault === undefined) return
  const option = fault.field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new CommandFailed(`--${option} ${fault.message}`, exitCodes.usage)
}
