import { Type } from 'typebox'
import { integer, oneOf, section } from './field.ts'
import { budgetPeriods, counted, dimensions, ratePeriods } from './limit-words.ts'

const globs = (description: string) =>
  Type.Array(
    Type.String({
      description: 'A name or a glob.',
      minLength: 1,
      maxLength: 512,
    }),
    { description, minItems: 1, maxItems: 256, uniqueItems: true },
  )

const where = section(
  'Whom the limit is about. What is left out means everybody; all that is named must agree.',
  {
    organizations: Type.Optional(globs('Organizations; * stands for any characters.')),
    tenants: Type.Optional(globs('Tenants; * stands for any characters.')),
    principals: Type.Optional(globs('Principals, `<issuer>/<subject>`; * stands for any characters.')),
    roles: Type.Optional(globs('Roles; * stands for any characters.')),
    models: Type.Optional(globs('Models; * stands for any characters.')),
  },
)

/** One limit, in policies.yaml and in the admin API. */
export const limitRule = section('A limit.', {
  counts: oneOf('What is counted.', counted),
  per: Type.Optional(
    oneOf(
      'Second, minute and hour are rates, which flow back all the time; day and month are budgets by the calendar. Left out for in_flight alone.',
      [...ratePeriods, ...budgetPeriods],
    ),
  ),
  amount: Type.Number({
    description: 'So many units in one period, or at the same time; for cost in units of your currency.',
    exclusiveMinimum: 0,
    maximum: 9_000_000_000_000,
  }),
  burst: Type.Optional(
    integer(
      'Rates: most units at once. Left out: the amount, and for requests a minute or an hour a sixth of it.',
      { minimum: 1, maximum: 1_000_000_000 },
    ),
  ),
  by: Type.Array(oneOf('A dimension.', dimensions), {
    description:
      'What buckets are told apart by: each tenant, each tenant and model, ... An empty list: one bucket for everybody.',
    maxItems: 5,
    uniqueItems: true,
  }),
  where: Type.Optional(where),
  mode: oneOf(
    '`shadow`: counts and reports what it would refuse, and refuses nothing.',
    ['enforce', 'shadow'],
    {
      default: 'enforce',
    },
  ),
  onStoreFailure: oneOf(
    "While the shared store is away: `lease` goes on with this replica's share, `closed` refuses, `open` lets pass and counts later.",
    ['lease', 'closed', 'open'],
    { default: 'lease' },
  ),
  timeZone: Type.String({
    description: 'Time zone of the calendar of budgets.',
    minLength: 1,
    maxLength: 64,
    default: 'UTC',
    examples: ['Europe/Berlin'],
  }),
})
