import type { InjectionSignal } from './signal.ts'

/**
 * Marks of chat templates: ChatML and the like (`<|im_start|>`, `<|eot_id|>`), Llama 2, Gemma, Mistral,
 * Alpaca. Every part is bounded and begins with its own character, so the search is linear. Behind that character
 * stands a zero-width space where the gateway has made plain text of a mark (src/openai/control-token.ts).
 */
const tokens = [
  '<\u200b?\\|[a-z][a-z0-9_]{1,30}\\|>',
  '\\[\u200b?/?INST\\]',
  '<\u200b?</?SYS>>',
  '<\u200b?(?:start|end)_of_turn>',
  '\\[\u200b?/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS)\\]',
  '(?<=^|\\n)###? ?(?:System|SYSTEM)(?: Prompt| Message)?:',
  '</?(?:SYSTEM|system)(?:_prompt| MODE| PROMPT)?>',
]
const pattern = new RegExp(tokens.join('|'), 'g')

export function templateSignals(text: string, signalsMax: number): InjectionSignal[] {
  const found: InjectionSignal[] = []
  for (const { 0: token, index } of text.matchAll(pattern)) {
    found.push({ kind: 'template_tokens', rule: 'chat-template', start: index, end: index + token.length })
    if (found.length === signalsMax) break
  }
  return found
}
