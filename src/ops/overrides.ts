import { randomUUID } from 'node:crypto'
import type { AdminValue } from '../config/schema/admin-api.ts'
import type { Dimension } from '../policy/limit.ts'
import type { QuotaStore } from '../quota/store.ts'
import { Refusal } from '../refusal.ts'
import { type Changes, fromStore, type Operator } from './changes.ts'
import {
  type DocumentShapes,
  isoTime,
  overridePrefix,
  readOverride,
  type StoredOverride,
  writeOverride,
} from './documents.ts'
import { OpsFault } from './fault.ts'
import { overrideFault } from './limit-rules.ts'
import type { OpsView } from './view.ts'

export interface OverridesParts {
  readonly store: Pick<QuotaStore, 'documents'>
  readonly changes: Changes
  readonly clock: { now(): number }
  readonly shapes: DocumentShapes
  readonly view: OpsView
}

const overridesMax = 1_000
const lifetimeMsMax = 31 * 86_400_000

/** Temporary overrides, as they are made and ended. */
export class Overrides {
  readonly #parts: OverridesParts

  constructor(parts: OverridesParts) {
    this.#parts = parts
  }

  list(): object {
    return { overrides: [...this.#parts.view.overrides.values()].map(overrideAnswer) }
  }

  create(asked: AdminValue<'OverrideRequest'>, operator: Operator): Promise<object> {
    const { changes, store, view, clock } = this.#parts
    return changes.alone(async () => {
      const override = this.#checked(asked, operator, clock.now())
      const id = randomUUID()
      const { limit, match, amount, burst, reason } = override
      const after = { limit, match, amount, burst, expires_at: isoTime(override.expiresAt) }
      const change = { event: 'override.created' as const, name: id, before: null, after, reason }
      const version = await changes.make(operator, change, () =>
        store.documents.put(`${overridePrefix}${id}`, writeOverride(override), 0),
      )
      await view.refresh()
      return overrideAnswer({ ...override, id, version })
    })
  }

  /** Throws `not_found`. */
  delete(id: string, operator: Operator): Promise<void> {
    const { changes, store, view, clock, shapes } = this.#parts
    return changes.alone(async () => {
      const name = `${overridePrefix}${id}`
      const document = await fromStore(store.documents.get(name))
      const override = document && readOverride(document, id, shapes)
      if (override === undefined || override.expiresAt <= clock.now())
        throw new Refusal('not_found', 'no such override')
      const before = overrideAnswer(override)
      const change = { event: 'override.deleted' as const, name: id, before, after: null }
      await changes.make(operator, change, async () =>
        (await store.documents.delete(name, override.version)) ? true : undefined,
      )
      await view.refresh()
    })
  }

  #checked(
    asked: AdminValue<'OverrideRequest'>,
    { principal }: Operator,
    now: number,
  ): Omit<StoredOverride, 'id' | 'version'> {
    const { view } = this.#parts
    const { limit, amount, burst, reason } = asked
    const rule = view.all.get(limit)?.rule
    if (rule === undefined) throw new OpsFault('not_found', 'limit', 'is not the name of a limit')
    const match = matchOf(asked.match)
    const fault = overrideFault(rule, { match, amount, burst })
    if (fault !== undefined) throw new OpsFault('invalid_value', fault.field, fault.message)
    if (view.overrides.size >= overridesMax)
      throw new OpsFault('invalid_value', 'limit', `would have one override more than ${overridesMax}`)
    const expiresAt = expiryOf(asked, now)
    return { limit, match, amount, burst, expiresAt, reason, createdBy: principal.id, createdAt: now }
  }
}

function expiryOf({ expiresAt, expiresInSeconds }: AdminValue<'OverrideRequest'>, now: number): number {
  if ((expiresAt === undefined) === (expiresInSeconds === undefined))
    throw new OpsFault('missing_field', 'expiresAt', 'or expiresInSeconds must be given, one of the two')
  const time = expiresAt === undefined ? now + (expiresInSeconds as number) * 1000 : Date.parse(expiresAt)
  if (Number.isNaN(time)) throw new OpsFault('invalid_value', 'expiresAt', 'is a time that does not exist')
  if (time <= now) throw new OpsFault('invalid_value', 'expiresAt', 'is in the past')
  if (time > now + lifetimeMsMax)
    throw new OpsFault('invalid_value', 'expiresAt', 'is more than 31 days away')
  return time
}

const matchOf = (match: AdminValue<'OverrideRequest'>['match']): StoredOverride['match'] =>
  Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined)) as Partial<
    Record<Dimension, string>
  >

export const overrideAnswer = ({ id, limit, match, amount, burst, ...rest }: StoredOverride) => ({
  id,
  limit,
  match,
  amount,
  ...(burst === undefined ? {} : { burst }),
  expires_at: isoTime(rest.expiresAt),
  reason: rest.reason,
  created_by: rest.createdBy,
  created_at: isoTime(rest.createdAt),
})
