import type { Call } from '../openai/call.ts'
import { Refusal } from '../refusal.ts'
import { globMatches } from './glob.ts'
import type { ParameterRules } from './rules.ts'

/** For each parameter the most generous of the roles that grant a call. */
export const mergeParameters = (all: readonly ParameterRules[]): ParameterRules => ({
  outputTokensMax: Math.max(...all.map((rules) => rules.outputTokensMax)),
  choicesMax: Math.max(...all.map((rules) => rules.choicesMax)),
  promptsMax: Math.max(...all.map((rules) => rules.promptsMax)),
  inputsMax: Math.max(...all.map((rules) => rules.inputsMax)),
  logprobsMax: all.reduce<number | undefined>(
    (most, { logprobsMax }) => (logprobsMax === undefined ? most : Math.max(most ?? 0, logprobsMax)),
    undefined,
  ),
  tools: mergeTools(all.map((rules) => rules.tools)),
  responseFormats: [...new Set(all.flatMap((rules) => rules.responseFormats))],
})

function mergeTools(all: readonly ParameterRules['tools'][]): ParameterRules['tools'] {
  const globs = all.flatMap((tools) => (tools === 'none' ? [] : tools))
  return globs.length === 0 ? 'none' : [...new Set(globs)]
}

/** Throws a Refusal when a call asks for more than the rules allow. */
export function checkParameters(call: Call, rules: ParameterRules): void {
  if ((call.outputTokensMax ?? 0) > rules.outputTokensMax) {
    throw aboveCap(outputParameter(call), rules.outputTokensMax)
  }
  if (call.choices > rules.choicesMax) throw aboveCap('n', rules.choicesMax)
  checkBatch(call, rules)
  checkLogprobs(call, rules)
  checkTools(call, rules)
  checkResponseFormat(call, rules)
}

const aboveCap = (param: string, cap: number): Refusal =>
  new Refusal('parameter_above_cap', `${param} above the cap of ${cap}`, { param })

/** A batch is one request to the rate limit, whatever it costs: its size has a cap of its own. */
function checkBatch({ endpoint, prompts }: Call, { promptsMax, inputsMax }: ParameterRules): void {
  if (endpoint === 'completions' && prompts > promptsMax) throw aboveCap('prompt', promptsMax)
  if (endpoint === 'embeddings' && prompts > inputsMax) throw aboveCap('input', inputsMax)
}

/** The field that carried the caller's bound. */
const outputParameter = ({ fields }: Call): string =>
  Object.hasOwn(fields, 'max_completion_tokens') && typeof fields['max_completion_tokens'] === 'number'
    ? 'max_completion_tokens'
    : 'max_tokens'

function checkLogprobs(call: Call, { logprobsMax }: ParameterRules): void {
  if (call.logprobs === undefined) return
  if (logprobsMax === undefined) throw forbidden('logprobs', 'no role allows logprobs')
  // In completions `logprobs` is itself the count; in chat the count has a field of its own.
  const param = call.endpoint === 'completions' ? 'logprobs' : 'top_logprobs'
  if (call.logprobs > logprobsMax) throw aboveCap(param, logprobsMax)
}

function checkTools(call: Call, { tools }: ParameterRules): void {
  const globs = tools === 'none' ? [] : tools
  if (call.tools.every((tool) => globs.some((glob) => globMatches(glob, tool)))) return
  throw forbidden('tools', 'a tool that no role allows')
}

function checkResponseFormat({ responseFormat }: Call, { responseFormats }: ParameterRules): void {
  if (responseFormat === undefined || responseFormats.includes(responseFormat)) return
  throw forbidden('response_format', 'a response format that no role allows')
}

const forbidden = (param: string, detail: string): Refusal =>
  new Refusal('parameter_forbidden', detail, { param })
