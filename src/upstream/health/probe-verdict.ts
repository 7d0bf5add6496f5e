import type { ServerKind } from '../pool.ts'

export type ProbePath = '/health' | '/v1/models'

/** `undecided`: somebody answers, but not about health; calls alone decide then. */
export type ProbeVerdict = 'alive' | 'down' | 'undecided'

/**
 * What to ask. `/health` of vLLM is 503 when its engine died, of SGLang and llama.cpp while the model is being loaded, of
 * TGI when a generation of one token fails.
 */
export const probePathOf = (server: ServerKind): ProbePath => (server === 'openai' ? '/v1/models' : '/health')

/**
 * What a status says. A server of the kind `openai` is alive when it wants a key or does not list models (401, 403, 404).
 * For the others a 4xx means that a proxy stands before it or that it has no `/health`: no reason to leave it out.
 */
export function probeVerdictOf(server: ServerKind, status: number): ProbeVerdict {
  if (status >= 500) return 'down'
  if (status >= 200 && status < 300) return 'alive'
  return server === 'openai' && status >= 400 ? 'alive' : 'undecided'
}
