import type { PublicKey } from './jwk.ts'
import type { KeySet, KeysFault } from './key-set.ts'

/** A key and the set it is from: what was verified under a set counts only while that set is in force. */
export interface ChosenKey {
  readonly key: PublicKey
  readonly set: KeySet
}

/** Told of each attempt to have newer keys. Must not throw. */
export type RefreshListener = (result: 'changed' | 'unchanged' | 'failed', fault?: KeysFault) => void

/** Where an issuer's keys come from. */
export interface KeySource {
  /** The set in force; `undefined` when there is none or it is too old to be believed. */
  readonly current: KeySet | undefined
  /** Time since the source last confirmed the set in force. */
  readonly ageSeconds: number | undefined
  /** The key for a token. Throws `invalid_token` when there is no such key, `keys_unavailable` when there are none. */
  find(kid: string | undefined): Promise<ChosenKey>
  /** Asks the source now. Never rejects: the listener hears how it ended. */
  refresh(): Promise<void>
  close(): Promise<void>
}
