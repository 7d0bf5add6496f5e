/** Why the shared store of limits cannot be asked: few enough to be a label. A test compares with src/quota/shared/cause.ts. */
export const storeFaults = [
  'timeout',
  'connection',
  'read_only',
  'out_of_memory',
  'loading',
  'busy',
  'cluster',
  'not_allowed',
  'other',
] as const
export type StoreFault = (typeof storeFaults)[number]
