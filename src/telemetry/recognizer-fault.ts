/** Why a recognizer service gave no answer. */
export const recognizerFaults = [
  'text_too_long',
  'busy',
  'circuit_open',
  'timeout',
  'unreachable',
  'status',
  'content_type',
  'reply_too_large',
  'invalid_json',
  'invalid_results',
] as const
export type RecognizerFault = (typeof recognizerFaults)[number]
