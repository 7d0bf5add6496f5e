import { type Static, Type } from 'typebox'
import { integer, NAME_EXPECTED, NAME_PATTERN, section } from './field.ts'
import { dimensions } from './limit-words.ts'
import { limitRule } from './limits.ts'

/** A text for people: one line, nothing that could move a cursor or forge a second line. */
export const line = (description: string, maxLength: number) =>
  Type.String({
    description,
    minLength: 1,
    maxLength,
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$',
    expected: `one line of 1 to ${maxLength} characters without control characters`,
  })

export const limitName = Type.String({
  description: 'Name of a limit.',
  maxLength: 128,
  pattern: NAME_PATTERN.replace('61', '126'),
  expected: NAME_EXPECTED.replace('63', '128'),
})

export const time = (description: string) =>
  Type.String({
    description,
    maxLength: 40,
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?(?:Z|[+-]\\d{2}:\\d{2})$',
    expected: 'a time of RFC 3339 such as 2030-01-31T12:00:00Z',
  })

const dimensionValue = Type.Optional(line('Value of this dimension.', 512))

/** Which buckets of a limit an override is about. */
export const match = section(
  'Values of dimensions that tell the buckets of the limit apart; the override counts where all agree.',
  Object.fromEntries(dimensions.map((dimension) => [dimension, dimensionValue])) as Record<
    (typeof dimensions)[number],
    typeof dimensionValue
  >,
)

export const amount = Type.Number({
  description: 'Amount instead of that of the limit.',
  exclusiveMinimum: 0,
  maximum: 9_000_000_000_000,
})
export const burst = Type.Optional(
  integer('Rates: most units at once. Left out: as for a limit of that amount.', {
    minimum: 1,
    maximum: 1_000_000_000,
  }),
)
export const reason = line('Why, for whoever reads the audit log.', 500)

const who = line('Principal that made the change.', 1024)

/** The store's document `quota/<name>`. */
export const quotaDocument = section("An operator's quota.", {
  rule: limitRule,
  changed_by: who,
  changed_at: time('When it was changed.'),
})

/** The store's document `override/<id>`. */
export const overrideDocument = section('A temporary override.', {
  limit: limitName,
  match,
  amount,
  burst,
  expires_at: time('When it ends.'),
  reason,
  created_by: who,
  created_at: time('When it was made.'),
})

export type QuotaDocument = Static<typeof quotaDocument>
export type OverrideDocument = Static<typeof overrideDocument>
