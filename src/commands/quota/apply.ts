import type { OpsClient } from '../ops-client.ts'
import { jsonText, plain } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { quotasOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import { type DiffOptions, planJson, planText } from './diff.ts'
import { OpsFailure } from './failure.ts'
import { quotaPath } from './find-quota.ts'
import { type Plan, planOf, planSummary, readLimitsFile, restText, type Step } from './plan.ts'
import { putQuota } from './set.ts'

export type ApplyOptions = DiffOptions & ConnectionOptions & { readonly dryRun?: boolean }

/**
 * `sallyport quota apply FILE`: makes operators' quotas what the file says. Each is replaced in the version that the
 * comparison saw; at the first that is refused it stops, and a second run goes on from there.
 */
export async function quotaApply(
  file: string,
  options: ApplyOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const limits = await readLimitsFile(file)
  return await withClient(options, surroundings, async (client) => {
    const { body } = await client.ask('GET', '/admin/v1/quotas')
    const plan = planOf(limits, quotasOf(body), options)
    if (options.dryRun) {
      const json = { dry_run: true, ...planJson(plan) }
      surroundings.out(options.json ? jsonText(json) : `${planText(plan)}Nothing was sent.\n`)
      return exitCodes.ok
    }
    return await carryOut(client, plan, { options, surroundings })
  })
}

interface Around {
  readonly options: ApplyOptions
  readonly surroundings: Surroundings
}

const done = { create: 'created', update: 'updated', delete: 'deleted' } as const

async function carryOut(client: OpsClient, plan: Plan, { options, surroundings }: Around): Promise<ExitCode> {
  const applied: object[] = []
  for (const [index, step] of plan.steps.entries()) {
    try {
      const version = await carryOutStep(client, step)
      applied.push({ name: step.name, action: step.action, version: version || null })
      const at = version === '' ? '' : `, version ${plain(version)}`
      const line = `${plain(step.name)}: ${done[step.action]}${at} (${index + 1} of ${plan.steps.length})\n`
      // With --json the result is one document; progress is for whoever watches.
      if (options.json) surroundings.err(line)
      else surroundings.out(line)
    } catch (error) {
      if (!(error instanceof OpsFailure)) throw error
      if (options.json) surroundings.out(jsonText(stoppedJson(plan, { applied, index, error })))
      throw new CommandFailed(stoppedText(plan, { index, error }))
    }
  }
  const { same, unmanaged } = plan
  const result = { applied, failed: null, left: [], same, unmanaged }
  surroundings.out(options.json ? jsonText(result) : endText(plan))
  return exitCodes.ok
}

const endText = (plan: Plan): string =>
  plan.steps.length === 0 ? planSummary(plan) : `Done: ${plan.steps.length} changed; ${restText(plan)}`

async function carryOutStep(client: OpsClient, { name, rule, found }: Step): Promise<string> {
  if (rule !== undefined) return await putQuota(client, { name, rule, found })
  await client.ask('DELETE', quotaPath(name), { expected: found?.version ?? '0' })
  return ''
}

interface Stopped {
  readonly index: number
  readonly error: OpsFailure
}

const stoppedJson = (
  { steps, same, unmanaged }: Plan,
  { applied, index, error }: Stopped & { readonly applied: readonly object[] },
): object => ({
  applied,
  failed: { name: steps[index]?.name, status: error.status, code: error.reason, message: error.message },
  left: steps.slice(index + 1).map(({ name, action }) => ({ name, action })),
  same,
  unmanaged,
})

function stoppedText({ steps }: Plan, { index, error }: Stopped): string {
  const names = (list: readonly Step[]): string => list.map(({ name }) => plain(name)).join(', ') || 'none'
  return [
    `Stopped at ${plain(steps[index]?.name ?? '')}: ${error.message}`,
    `Done before it: ${names(steps.slice(0, index))}. Not tried: ${names(steps.slice(index + 1))}.`,
    'Look at what is there with `sallyport quota diff`, then apply again: what is done already is left alone.',
  ].join('\n')
}
