import type { LimitRule } from '../policy/limit-rule.ts'
import type { QuotaStore } from '../quota/store.ts'
import { Refusal } from '../refusal.ts'
import { type Changes, fromStore, type Operator } from './changes.ts'
import {
  type DocumentShapes,
  isoTime,
  quotaPrefix,
  readQuota,
  type StoredQuota,
  takenAway,
  UnreadableDocument,
  writeQuota,
} from './documents.ts'
import { OpsFault } from './fault.ts'
import { limitNamePattern, type NamedLimit, quotaFault } from './limit-rules.ts'
import { mergePatch } from './merge-patch.ts'
import { demandPrecondition, honorPrecondition, type Preconditions } from './precondition.ts'
import type { OpsView } from './view.ts'

export interface QuotasParts {
  readonly store: Pick<QuotaStore, 'documents'>
  readonly changes: Changes
  readonly clock: { now(): number }
  readonly shapes: DocumentShapes
  /** Throws OpsFault. */
  readonly checkRule: (input: unknown) => LimitRule
  readonly view: OpsView
}

/** A change that was made. */
export interface Written {
  readonly quota: object
  readonly version: number
  /** No operator had set anything before. */
  readonly created: boolean
}

/** Operators' quotas of one gateway; more would be a configuration of its own. */
const quotasMax = 1_000

interface Current {
  /** Of the document in the store; 0 when there is none. A quota that was taken away keeps its version. */
  readonly stored: number
  readonly quota: StoredQuota | undefined
  /** What operators see as the version. */
  readonly version: number
}

/** Operators' quotas, as they are set and taken away. */
export class Quotas {
  readonly #parts: QuotasParts

  constructor(parts: QuotasParts) {
    this.#parts = parts
  }

  list(): object {
    return { quotas: [...this.#parts.view.all.values()].map(quotaAnswer) }
  }

  /** Throws `not_found`. */
  async get(name: string): Promise<{ readonly quota: object; readonly version: number }> {
    const { quota, version } = await this.#current(name)
    const limit = this.#limit(name, quota)
    if (limit === undefined) throw new Refusal('not_found', 'no such limit')
    return { quota: quotaAnswer(limit), version }
  }

  put(name: string, rule: LimitRule, conditions: Preconditions, operator: Operator): Promise<Written> {
    return this.#change(name, conditions, operator, () => rule)
  }

  /** Throws `not_found` where there is nothing to change. */
  patch(name: string, patch: unknown, conditions: Preconditions, operator: Operator): Promise<Written> {
    return this.#change(name, conditions, operator, (limit) => {
      if (limit === undefined) throw new Refusal('not_found', 'no such limit')
      return this.#parts.checkRule(mergePatch(limit.rule, patch))
    })
  }

  /** Throws `set_in_configuration` or `not_found`. */
  delete(name: string, conditions: Preconditions, operator: Operator): Promise<void> {
    const { changes, store, view } = this.#parts
    return changes.alone(async () => {
      const { quota, stored, version } = await this.#current(name)
      if (version === 0) {
        const isConfigured = view.configured.has(name)
        throw new Refusal(isConfigured ? 'set_in_configuration' : 'not_found', 'no quota of an operator')
      }
      honorPrecondition(conditions, version)
      const after = view.configured.get(name)?.rule ?? null
      const change = { event: 'quota.deleted' as const, name, before: quota?.rule ?? null, after }
      await changes.make(operator, change, () =>
        store.documents.put(documentOf(name), takenAway(this.#said(operator)), stored),
      )
      await view.refresh()
    })
  }

  #change(
    name: string,
    conditions: Preconditions,
    operator: Operator,
    next: (limit: NamedLimit | undefined) => LimitRule,
  ): Promise<Written> {
    const { changes, store, view } = this.#parts
    if (!limitNamePattern.test(name)) throw new OpsFault('invalid_value', 'name', 'is no name of a limit')
    return changes.alone(async () => {
      const { quota, stored, version } = await this.#current(name)
      demandPrecondition(conditions, version)
      const limit = this.#limit(name, quota)
      const rule = next(limit)
      this.#check(name, rule, quota)
      const said = this.#said(operator)
      const change = { event: 'quota.changed' as const, name, before: limit?.rule ?? null, after: rule }
      const written = await changes.make(operator, change, () =>
        store.documents.put(documentOf(name), writeQuota({ rule, ...said }), stored),
      )
      await view.refresh()
      const made = { name, rule, source: 'operator' as const, configured: view.configured.get(name)?.rule }
      const answer = quotaAnswer({ ...made, quota: { version: written, rule, ...said } })
      return { quota: answer, version: written, created: version === 0 }
    })
  }

  #check(name: string, rule: LimitRule, before: StoredQuota | undefined): void {
    const { view } = this.#parts
    const fault = quotaFault(name, rule, view)
    if (fault !== undefined) throw new OpsFault('invalid_value', fault.field, fault.message)
    const set = [...view.all.values()].filter(({ quota }) => quota !== undefined).length
    if (before === undefined && set >= quotasMax)
      throw new OpsFault('invalid_value', 'name', `would be one quota more than ${quotasMax}`)
  }

  #said({ principal }: Operator) {
    return { changedBy: principal.id, changedAt: isoTime(this.#parts.clock.now()) }
  }

  /** The limit as the store has it now: the view may be a moment behind another replica. */
  #limit(name: string, quota: StoredQuota | undefined): NamedLimit | undefined {
    const configured = this.#parts.view.configured.get(name)
    if (quota === undefined) return configured
    return { name, rule: quota.rule, source: 'operator', configured: configured?.rule, quota }
  }

  async #current(name: string): Promise<Current> {
    const { store, shapes } = this.#parts
    const document = await fromStore(store.documents.get(documentOf(name)))
    if (document === undefined) return { stored: 0, quota: undefined, version: 0 }
    const stored = document.version
    try {
      const quota = readQuota(document, name, shapes)
      return { stored, quota, version: quota === undefined ? 0 : stored }
    } catch (error) {
      // Nobody can read it, and an operator can replace it or take it away.
      if (error instanceof UnreadableDocument) return { stored, quota: undefined, version: stored }
      throw error
    }
  }
}

const documentOf = (name: string): string => `${quotaPrefix}${name}`

const quotaAnswer = ({ name, rule, source, configured, quota }: NamedLimit): object => ({
  name,
  rule,
  source,
  version: String(quota?.version ?? 0),
  configured: configured ?? null,
  changed_by: quota?.changedBy ?? null,
  changed_at: quota?.changedAt ?? null,
})
