import { textOrTexts } from './completion.ts'
import { type Fields, integer, oneOf, refused } from './field.ts'
import { refusedFields } from './refused-field.ts'
import { identityFields, modelName } from './sampling.ts'

const inputsMax = 2_048
const dimensionsMax = 65_536

/** The request table of /v1/embeddings. `encoding_format: bytes` answers in a form that is no JSON. */
export const embeddingFields: Fields = {
  ...refusedFields,
  ...identityFields,
  model: modelName,
  input: textOrTexts({ lengthMin: 1, countMax: inputsMax }),
  encoding_format: oneOf('float', 'base64'),
  dimensions: integer(1, dimensionsMax),
  messages: refused('unsupported_parameter'),
  embed_dtype: refused('unsupported_parameter'),
  endianness: refused('unsupported_parameter'),
}

export const embeddingRequired = ['model', 'input'] as const
