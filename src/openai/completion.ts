import { array, byType, type Fields, integer, refused, text } from './field.ts'
import { refusedFields } from './refused-field.ts'
import { identityFields, samplingFields } from './sampling.ts'

const promptsMax = 256

/** Chat members that llama.cpp would read here too. */
const refusedHere: Fields = {
  messages: refused('unsupported_parameter'),
  response_format: refused('unsupported_parameter'),
}

/** Prompts as token ids: numbers, or lists of numbers. */
const tokenIds = refused('token_ids_refused')

/** Text, or a list of texts; token ids in either place cannot be screened. */
export const textOrTexts = (options: { lengthMin: number; countMax: number }) => {
  const one = text({ lengthMin: options.lengthMin })
  const element = byType({
    string: one,
    number: tokenIds,
    array: tokenIds,
    object: refused('unsupported_parameter'),
  })
  return byType({
    string: one,
    array: array(element, { lengthMin: 1, lengthMax: options.countMax }),
    number: tokenIds,
    object: refused('unsupported_parameter'),
  })
}

/** The request table of /v1/completions. The prompt is raw: its control tokens are the caller's own to write. */
export const completionFields: Fields = {
  ...refusedFields,
  ...identityFields,
  ...samplingFields,
  ...refusedHere,
  prompt: textOrTexts({ lengthMin: 0, countMax: promptsMax }),
  suffix: text(),
  logprobs: integer(0, 20),
}

export const completionRequired = ['model', 'prompt'] as const
