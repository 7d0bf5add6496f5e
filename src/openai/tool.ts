import { toolName } from './chat-message.ts'
import { array, boolean, byType, object, oneOf, refused, tagged, text } from './field.ts'
import { jsonSchema } from './json-schema.ts'

const toolsMax = 128

const functionFields = { name: toolName, description: text(), parameters: jsonSchema('tool') }

const named = object({ name: toolName }, ['name'])

/** Legacy `functions`. */
export const functions = array(object(functionFields, ['name']), { lengthMax: toolsMax })

/** Legacy `function_call`. */
export const functionCall = byType({ string: oneOf('none', 'auto'), object: named })

/** Tools that the caller runs. Tools that a server runs (search, code, MCP) have other types and are invalid. */
export const tools = array(
  tagged('type', {
    function: object(
      { type: oneOf('function'), function: object({ ...functionFields, strict: boolean }, ['name']) },
      ['type', 'function'],
    ),
    custom: object(
      {
        type: oneOf('custom'),
        custom: object(
          {
            name: toolName,
            description: text(),
            format: tagged('type', {
              text: object({ type: oneOf('text') }),
              grammar: refused('unsupported_parameter'),
            }),
          },
          ['name'],
        ),
      },
      ['type', 'custom'],
    ),
  }),
  { lengthMax: toolsMax },
)

/** Which tool the model must call. */
export const toolChoice = byType({
  string: oneOf('none', 'auto', 'required'),
  object: tagged('type', {
    function: object({ type: oneOf('function'), function: named }, ['type', 'function']),
    custom: object({ type: oneOf('custom'), custom: named }, ['type', 'custom']),
    allowed_tools: refused('unsupported_parameter'),
  }),
})
