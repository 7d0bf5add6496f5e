import type { Limit } from '../policy/limit.ts'
import type { StoredOverride } from './documents.ts'
import type { ConfiguredLimits, NamedLimit } from './limit-rules.ts'

/** The limits in force at this replica, as operators look at them (`Limits` of src/gateway/limits.ts). */
export interface OpsView {
  readonly all: ReadonlyMap<string, NamedLimit>
  readonly configured: ReadonlyMap<string, NamedLimit>
  readonly overrides: ReadonlyMap<string, StoredOverride>
  readonly roles: ConfiguredLimits['roles']
  readonly book: { limitAt(key: string): Limit | undefined }
  limitsFor(
    caller: { readonly id: string; readonly tenant: string; readonly roles: readonly string[] },
    model?: string,
  ): readonly Limit[]
  /** Takes what is in the store into force. */
  refresh(): Promise<void>
}
