import { jsonText } from '../plain-text.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from '../surroundings.ts'
import { quotasOf } from './answers.ts'
import { type ConnectionOptions, withClient } from './connection.ts'
import type { JsonOption } from './list.ts'
import {
  type Plan,
  type PlanOptions,
  planOf,
  planSummary,
  readLimitsFile,
  stepJson,
  stepText,
} from './plan.ts'

export type DiffOptions = JsonOption & PlanOptions & ConnectionOptions

/** As diff(1): a pipeline must not take a gateway that does not answer for a difference. */
const trouble = exitCodes.usage

/** `sallyport quota diff FILE`: what `quota apply` with the same options would do. */
export async function quotaDiff(
  file: string,
  options: DiffOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const plan = await planFor(file, options, surroundings).catch((error) => {
    if (!(error instanceof CommandFailed) || error.code !== exitCodes.failed) throw error
    throw new CommandFailed(error.message, trouble)
  })
  surroundings.out(options.json ? jsonText(planJson(plan)) : planText(plan))
  return plan.steps.length === 0 ? exitCodes.ok : exitCodes.failed
}

async function planFor(file: string, options: DiffOptions, surroundings: Surroundings): Promise<Plan> {
  const limits = await readLimitsFile(file)
  const { body } = await withClient(options, surroundings, (client) => client.ask('GET', '/admin/v1/quotas'))
  return planOf(limits, quotasOf(body), options)
}

export const planText = (plan: Plan): string => `${plan.steps.map(stepText).join('')}${planSummary(plan)}`

export const planJson = ({ steps, same, unmanaged }: Plan): object => ({
  different: steps.length > 0,
  steps: steps.map(stepJson),
  same,
  unmanaged,
})
