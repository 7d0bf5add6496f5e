import { readLimits } from '../../config/limits-file.ts'
import { type LimitRule, ruleFault } from '../../policy/limit-rule.ts'
import { plain } from '../plain-text.ts'
import { readInput } from '../redact-input.ts'
import { CommandFailed, exitCodes } from '../surroundings.ts'
import type { Quota } from './answers.ts'
import { type Change, changesOf, changeText, type Rule } from './rule.ts'

/** One thing to do so that an operator's quota is what the file says. */
export interface Step {
  readonly action: 'create' | 'update' | 'delete'
  readonly name: string
  /** Undefined for a deletion. */
  readonly rule: Rule | undefined
  /** What the gateway has under that name; its version is the only one that is replaced. */
  readonly found: Quota | undefined
  readonly changes: readonly Change[]
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly same: readonly string[]
  /** Operators' quotas that the file does not name, and that stay. */
  readonly unmanaged: readonly string[]
}

export interface PlanOptions {
  /** Quotas that the file does not name are deleted. */
  readonly prune?: boolean
}

/** The file's limits; throws CommandFailed with every mistake and its place. */
export async function readLimitsFile(file: string): Promise<Readonly<Record<string, Rule>>> {
  const text = await readInput(file)
  const read = readLimits(text, (rule) => ruleFault(rule as unknown as LimitRule))
  if ('limits' in read) return read.limits
  const lines = read.problems.map(
    ({ line, column, path, message }) => `${file}:${line}:${column} ${path} ${message}`,
  )
  throw new CommandFailed(plainLines(lines), exitCodes.config)
}

const plainLines = (lines: readonly string[]): string => lines.map(plain).join('\n')

/**
 * Compares with operators' quotas, not with what is configured: a quota that says the same as the configuration is
 * still one, and stays when the configuration changes. The order is that of the file, deletions last.
 */
export function planOf(
  limits: Readonly<Record<string, Rule>>,
  quotas: readonly Quota[],
  { prune }: PlanOptions,
): Plan {
  const byName = new Map(quotas.map((quota) => [quota.name, quota]))
  const wanted = Object.entries(limits).map(([name, rule]) => stepFor(name, rule, byName.get(name)))
  const others = quotas.filter(({ name, source }) => source === 'operator' && !Object.hasOwn(limits, name))
  const deletions = others.map(
    (found): Step => ({
      action: 'delete',
      name: found.name,
      rule: undefined,
      found,
      changes: changesOf(found.rule, found.configured),
    }),
  )
  return {
    steps: [...wanted.filter(isStep), ...(prune ? deletions : [])],
    same: wanted.flatMap((step) => (isStep(step) ? [] : [step.same])),
    unmanaged: prune ? [] : others.map(({ name }) => name),
  }
}

const isStep = (step: Step | { readonly same: string }): step is Step => 'action' in step

function stepFor(name: string, rule: Rule, found: Quota | undefined): Step | { readonly same: string } {
  const changes = changesOf(found?.rule, rule)
  if (found?.source !== 'operator') return { action: 'create', name, rule, found, changes }
  return changes.length === 0 ? { same: name } : { action: 'update', name, rule, found, changes }
}

const signs = { create: '+', update: '~', delete: '-' } as const

/** `~ tenant-tokens (version 3)` and what changes, line by line. */
export function stepText({ action, name, found, changes }: Step): string {
  const version = found === undefined || found.version === '0' ? '' : ` (version ${found.version})`
  const over = action === 'create' && found !== undefined ? ' (over what is configured)' : ''
  const lines = changes.map((change) => `    ${plain(changeText(change))}\n`).join('')
  return `${signs[action]} ${plain(name)}${plain(version)}${over}\n${lines}`
}

export const stepJson = ({ action, name, rule, found, changes }: Step): object => ({
  action,
  name,
  version: found?.version ?? '0',
  rule: rule ?? null,
  changes,
})

/** What the plan comes to, in one or two lines. */
export function planSummary(plan: Plan): string {
  const actions = (['create', 'update', 'delete'] as const)
    .map((action) => [action, plan.steps.filter((step) => step.action === action).length] as const)
    .filter(([, number]) => number > 0)
    .map(([action, number]) => `${number} to ${action}`)
  return `${actions.join(', ') || 'No difference'}; ${restText(plan)}`
}

/** What the plan leaves alone. */
export function restText({ same, unmanaged }: Plan): string {
  const kept =
    unmanaged.length === 0
      ? ''
      : `Operators' quotas that the file does not name stay (--prune deletes them): ${plain(unmanaged.join(', '))}\n`
  return `${same.length} as the file says.\n${kept}`
}
