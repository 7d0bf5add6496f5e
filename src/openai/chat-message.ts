import { assistantContent, textContent, userContent } from './content-part.ts'
import {
  array,
  dropped,
  type Fields,
  jsonText,
  nullable,
  object,
  oneOf,
  type Rule,
  refused,
  tagged,
  text,
} from './field.ts'

const messagesMax = 2_048
const toolCallsMax = 128
/** As deep as a body itself may be: Python's JSON reader fails on what is much deeper. */
const argumentsDepthMax = 64

/** Name of a tool or function. OpenAI takes 64 characters without dots; MCP clients need more. */
export const toolName = text({ pattern: /^[A-Za-z0-9_.-]{1,128}$/ })

/** Ids of tool calls are text too (a caller can write anything there), but of a form that fits every server. */
const toolCallId = text({ pattern: /^[A-Za-z0-9_.:|+/=-]{1,256}$/ })

/** OpenAI's form of a participant's name: no spaces, no `<|\/>`, which templates use. */
const participant = text({ pattern: /^[^\s<|\\/>]{1,128}$/ })

const calledFunction = object({ name: toolName, arguments: jsonText({ depthMax: argumentsDepthMax }) }, [
  'name',
  'arguments',
])

const toolCall = tagged('type', {
  function: object({ id: toolCallId, type: oneOf('function'), function: calledFunction, index: dropped }, [
    'id',
    'type',
    'function',
  ]),
  custom: object(
    {
      id: toolCallId,
      type: oneOf('custom'),
      custom: object({ name: toolName, input: text() }, ['name', 'input']),
      index: dropped,
    },
    ['id', 'type', 'custom'],
  ),
})

const message = (role: string, fields: Fields, required: readonly string[] = ['role', 'content']): Rule =>
  object(
    {
      role: oneOf(role),
      // Message-level template switches of SGLang and of Anthropic's format.
      tools: refused('unsupported_parameter'),
      cache_control: dropped,
      ...fields,
    },
    required,
  )

const assistant = message(
  'assistant',
  {
    content: nullable(assistantContent),
    name: participant,
    refusal: text(),
    // One channel under three names: vLLM, SGLang and llama.cpp, Ollama.
    reasoning: text(),
    reasoning_content: text(),
    thinking: text(),
    tool_calls: array(toolCall, { lengthMax: toolCallsMax }),
    function_call: calledFunction,
    audio: refused('unsupported_parameter'),
    // Replies carry these; clients send replies back as they came.
    annotations: dropped,
    prefix: refused('unsupported_parameter', [false]),
  },
  ['role'],
)

const functionResult = message('function', { content: nullable(textContent), name: toolName }, [
  'role',
  'content',
  'name',
])

/** The conversation: every role of OpenAI's chat API with its members. */
export const messages = array(
  tagged('role', {
    system: message('system', { content: textContent, name: participant }),
    developer: message('developer', { content: textContent, name: participant }),
    user: message('user', { content: userContent, name: participant }),
    assistant,
    tool: message('tool', { content: textContent, tool_call_id: toolCallId, name: toolName }, [
      'role',
      'content',
      'tool_call_id',
    ]),
    function: functionResult,
  }),
  { lengthMin: 1, lengthMax: messagesMax },
)
