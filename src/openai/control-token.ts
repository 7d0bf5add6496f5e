/**
 * Chat templates join messages with control tokens, and tokenizers of model servers read those tokens in message text
 * too: text that spells one could end its own turn and speak as the system. A zero-width space after the first
 * character keeps the text readable and is enough to make it plain text for every tokenizer.
 */
const controlTokens = new RegExp(
  [
    String.raw`<(?=[|｜][\w▁/"-]{1,64}[|｜]?>)`, // ChatML, Llama 3, Phi, GLM, DeepSeek, Gemma 4: <|im_start|>, <|turn>
    String.raw`<(?=[a-z_]{1,64}\|>)`, // Gemma 4: <turn|>
    '<(?=/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|tool_call|tool_response)>)', // Llama 2, Gemma, Qwen
    '<(?=</?SYS>>)', // Llama 2
    String.raw`\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\])`, // Mistral
  ].join('|'),
  'g',
)

/** Breaks every control token that the text spells, and changes nothing else. Linear: no lookahead exceeds 68 units. */
export const escapeControlTokens = (text: string): string => text.replace(controlTokens, '$&\u200b')
