import type {
  budgetPeriods as Budget,
  counted as Counted,
  dimensions as Dimensions,
  ratePeriods as Rate,
} from '../../policy/limit.ts'

/** The same lists as in src/policy/limit.ts, which this folder may know as types only; a test compares. */
export const counted = [
  'requests',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cost',
  'in_flight',
] as const satisfies typeof Counted
export const ratePeriods = ['second', 'minute', 'hour'] as const satisfies typeof Rate
export const budgetPeriods = ['day', 'month'] as const satisfies typeof Budget
export const dimensions = [
  'organization',
  'tenant',
  'principal',
  'role',
  'model',
] as const satisfies typeof Dimensions
