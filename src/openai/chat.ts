import { messages } from './chat-message.ts'
import { textContent } from './content-part.ts'
import {
  array,
  boolean,
  type Fields,
  integer,
  object,
  oneOf,
  type Rule,
  refused,
  tagged,
  text,
} from './field.ts'
import { jsonSchema } from './json-schema.ts'
import { refusedFields } from './refused-field.ts'
import { identityFields, outputTokens, samplingFields } from './sampling.ts'
import { functionCall, functions, toolChoice, tools } from './tool.ts'
import { refuse } from './walk.ts'

const documentsMax = 256

const schemaName = text({ pattern: /^[A-Za-z0-9_.-]{1,64}$/ })

const responseFormat = tagged('type', {
  text: object({ type: oneOf('text') }),
  json_object: object({ type: oneOf('json_object') }),
  json_schema: object(
    {
      type: oneOf('json_schema'),
      json_schema: object(
        { name: schemaName, description: text(), schema: jsonSchema('grammar'), strict: boolean },
        ['name', 'schema'],
      ),
    },
    ['json_schema'],
  ),
  structural_tag: refused('unsupported_parameter'),
  regex: refused('unsupported_parameter'),
  grammar: refused('unsupported_parameter'),
})

/** vLLM's structured outputs, as a JSON Schema only: the other forms are grammars that the caller writes. */
const structuredOutputs = object(
  {
    json: jsonSchema('grammar'),
    regex: refused('unsupported_parameter'),
    grammar: refused('unsupported_parameter'),
    choice: refused('unsupported_parameter'),
    json_object: refused('unsupported_parameter'),
    structural_tag: refused('unsupported_parameter'),
    whitespace_pattern: refused('unsupported_parameter'),
  },
  ['json'],
)

const textOnly: Rule = (value, place, walk) => {
  if (!Array.isArray(value) || value.length !== 1) refuse('unsupported_parameter', place, 'not text alone')
  return array(oneOf('text'), { lengthMax: 1 })(value, place, walk)
}

/** The request table of /v1/chat/completions. */
export const chatFields: Fields = {
  ...refusedFields,
  ...identityFields,
  ...samplingFields,
  messages,
  max_completion_tokens: outputTokens,
  logprobs: boolean,
  top_logprobs: integer(0, 20),
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: boolean,
  functions,
  function_call: functionCall,
  response_format: responseFormat,
  structured_outputs: structuredOutputs,
  reasoning_effort: oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
  verbosity: oneOf('low', 'medium', 'high'),
  modalities: textOnly,
  prediction: object({ type: oneOf('content'), content: textContent }, ['type', 'content']),
  documents: array(object({ title: text(), text: text() }, ['text']), { lengthMax: documentsMax }),
}

export const chatRequired = ['model', 'messages'] as const
