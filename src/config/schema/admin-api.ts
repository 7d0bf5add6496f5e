import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import { integer, oneOf, section } from './field.ts'
import { counted } from './limit-words.ts'
import { limitRule } from './limits.ts'
import { amount, burst, limitName, line, match, reason, time } from './operators.ts'
import { endpointNames } from './policies.ts'
import { poolList } from './pool-list.ts'

const orNull = <Schema extends TSchema>(schema: Schema, description: string) =>
  Type.Union([schema, Type.Null()], { description })
const list = <Item extends TSchema>(item: Item, description: string) => Type.Array(item, { description })
const words = (description: string) => Type.String({ description })
const number = (description: string) => Type.Number({ description })
const count = (description: string) => Type.Integer({ description, minimum: 0 })
const answer = <Fields extends TProperties>(description: string, fields: Fields) =>
  section(description, fields)

const version = Type.String({
  description: "Version of the operator's document; 0 when there is none. It is the ETag.",
})

const quota = answer('A limit, and who set it.', {
  name: limitName,
  rule: Type.Unsafe<object>({ ...limitRule, description: 'What counts.' }),
  source: oneOf('Who set it: the configuration, a role of the configuration, or an operator.', [
    'config',
    'role',
    'operator',
  ]),
  version,
  configured: orNull(limitRule, 'What the configuration says.'),
  changed_by: orNull(Type.String(), 'Principal that set it last; null when it is only configured.'),
  changed_at: orNull(Type.String(), 'When; RFC 3339.'),
})

const override = answer('Another amount for some buckets of a limit, for a time.', {
  id: Type.String({ description: 'Id, to end it before its time.' }),
  limit: limitName,
  match,
  amount,
  burst,
  expires_at: time('When it ends.'),
  reason,
  created_by: words('Principal that made it.'),
  created_at: time('When it was made.'),
})

const overrideRequest = section('A new override. One of `expiresAt` and `expiresInSeconds` is mandatory.', {
  limit: limitName,
  match,
  amount,
  burst,
  expiresAt: Type.Optional(time('When it ends; at most 31 days from now.')),
  expiresInSeconds: Type.Optional(
    integer('The same as a duration from now.', { minimum: 1, maximum: 31 * 86_400 }),
  ),
  reason,
})

const source = oneOf('Who set the amount; the later in this list wins.', ['config', 'operator', 'override'])
const mode = oneOf('`shadow` refuses nothing.', ['enforce', 'shadow'])
const counts = oneOf('What is counted.', counted)

const bucket = answer('A bucket in use. Cost is in units of the currency.', {
  key: words('Key of the bucket.'),
  limit: words('Name of the limit.'),
  dimensions: Type.Record(Type.String(), Type.String(), { description: 'What tells it apart.' }),
  counts,
  per: orNull(Type.String(), 'Period; null for in_flight.'),
  amount: number('Units in one period.'),
  burst: number('Most units at once; for budgets the amount.'),
  used: number('Units in use.'),
  remaining: number('Units that could be taken now.'),
  share: number('Used of the burst; above 1 when more was used than was set aside.'),
  reset_ms: count('Milliseconds until it is as if never used.'),
  source,
  mode,
})

const throttled = answer('Who met a limit in the last five minutes, at this replica.', {
  limit: words('Name of the limit.'),
  tenant: words('Tenant.'),
  refused: count('Refused.'),
  shadowed: count('Would have been refused by a limit in shadow mode.'),
  last_at: time('When, last.'),
})

const store = answer('The store of limits.', {
  kind: oneOf('Embedded in this process, or Redis.', ['embedded', 'redis']),
  available: Type.Boolean({ description: 'Whether it answers.' }),
  replicas: count('Replicas that share the limits.'),
  backlog: count('Settlements that wait for it.'),
  away_since: orNull(time('RFC 3339.'), 'Since when it is away.'),
})

const usage = answer('Buckets in use, a page at a time.', {
  buckets: list(bucket, 'The page.'),
  cursor: words('Of the next page; empty after the last.'),
  throttled: list(throttled, 'Most refused first.'),
  store,
})

const resetRequest = section('The bucket to empty.', {
  key: Type.String({ description: 'Key of the bucket, as in usage.', minLength: 1, maxLength: 8_192 }),
  reason: Type.Optional(reason),
})

const claims = section('A caller, without a token.', {
  tenant: line('Tenant.', 512),
  roles: Type.Array(line('A role.', 256), { description: 'Roles.', maxItems: 256 }),
  principal: Type.Optional(line('Principal, `<issuer>/<subject>`.', 512)),
  scopes: Type.Optional(
    Type.Array(line('A scope.', 256), { description: 'OAuth scopes of the token.', maxItems: 256 }),
  ),
})

const explainRequest = section('A call that is not made. One of `token` and `claims` says who makes it.', {
  token: Type.Optional(
    Type.String({
      description: 'Bearer token of the caller. It is not recorded.',
      minLength: 1,
      maxLength: 16_384,
    }),
  ),
  claims: Type.Optional(claims),
  endpoint: oneOf('The endpoint.', endpointNames),
  model: Type.Optional(line('Model, as callers write it; not for `models`.', 256)),
  input_tokens: Type.Optional(
    integer('Tokens of the prompt. Left out: estimated from the sample.', {
      minimum: 0,
      maximum: 1_000_000_000,
    }),
  ),
  max_tokens: Type.Optional(
    integer('Output bound that the caller names.', { minimum: 1, maximum: 1_000_000_000 }),
  ),
  n: Type.Optional(integer('Choices.', { minimum: 1, maximum: 1_000_000 })),
  sample: Type.Optional(
    Type.String({ description: 'A prompt, to see what redaction finds in it.', maxLength: 60_000 }),
  ),
})

const layer = answer('An amount.', {
  amount: number('Units in one period.'),
  burst: orNull(Type.Number(), 'Most units at once, where it is said.'),
  until: orNull(time('RFC 3339.'), 'When it ends: overrides only.'),
})

const asked = {
  name: words('Name of the limit.'),
  key: words('Its bucket.'),
  source,
  amount: number('Units in one period.'),
  asked: orNull(Type.Number(), 'Units that the call asks; null where it is not known.'),
  used: number('Units in use.'),
  remaining: number('Units that could be taken now.'),
  wait_ms: orNull(Type.Integer({ minimum: 0 }), 'Until it would pass; null: never.'),
}

const explained = answer('What a limit would say.', {
  ...asked,
  burst: number('Most units at once.'),
  mode,
  overlay: answer('What each layer says; the last that says something wins.', {
    config: orNull(layer, 'The configuration.'),
    operator: orNull(layer, "An operator's quota."),
    override: orNull(layer, 'An override.'),
  }),
  reset_ms: count('Milliseconds until the bucket is as if never used.'),
  verdict: oneOf('`shadow`: would refuse, if it were enforced.', ['pass', 'refuse', 'shadow']),
})

const explanation = answer('What would become of a call.', {
  allowed: Type.Boolean({ description: 'Whether it would be sent to a model server.' }),
  trace: list(
    answer('A step of the decision.', {
      step: words('Its name.'),
      outcome: oneOf('Outcome.', ['pass', 'refuse', 'info']),
      detail: words('Why.'),
      code: orNull(Type.String(), 'The code that the caller would be told.'),
    }),
    'The steps in their order; after a refusal nothing follows.',
  ),
  limits: list(explained, 'Every limit that would be asked.'),
  redaction: answer('What redaction finds in the sample: counts, never values.', {
    profile: orNull(Type.String(), 'Profile of the roles.'),
    blocked: orNull(Type.Boolean(), 'Whether the sample would be refused; null without a sample.'),
    findings: list(
      answer('Findings of one kind.', {
        entity: words('What was found.'),
        action: words('What would be done with it.'),
        count: count('How often.'),
      }),
      'By entity and action.',
    ),
  }),
  policy: words('Hash of the policy that decided.'),
})

const decision = answer('Why an exchange was refused.', {
  request_id: words('Id of the exchange.'),
  time: time('When.'),
  tenant: orNull(Type.String(), 'Null when the caller was not known.'),
  principal: orNull(Type.String(), 'Null when the caller was not known.'),
  roles: list(Type.String(), 'Roles of the token.'),
  endpoint: words('Endpoint.'),
  model: orNull(Type.String(), 'Model, once it was allowed.'),
  code: words('Code that the caller was told.'),
  detail: words('Why.'),
  limits: list(answer('A limit that was asked; the one that decided comes first.', asked), 'Limits.'),
  policy: words('Hash of the policy that decided.'),
})

const error = answer('An error, in the shape that OpenAI uses.', {
  error: answer('The error.', {
    message: words('For people.'),
    type: words('Kind.'),
    code: words('Code, of docs/reference/errors.md.'),
    param: orNull(Type.String(), 'The field at fault.'),
  }),
  gateway: answer('Of this gateway.', {
    source: words('Where it comes from.'),
    request_id: words('Id of the request.'),
    retryable: Type.Boolean(),
    doc: words('Where it is explained.'),
  }),
})

const resetAnswer = answer('A bucket after it was emptied.', { bucket })

/** Every body of the admin API by name: what is checked and what the OpenAPI document says is one thing. */
export const adminSchemas = {
  LimitRule: limitRule,
  LimitPatch: Type.Object(
    {},
    {
      description: 'JSON merge patch (RFC 7396) on the rule; null takes a field away.',
      additionalProperties: true,
    },
  ),
  Quota: quota,
  QuotaList: answer('Every limit, by name.', { quotas: list(quota, 'In the order of names.') }),
  OverrideRequest: overrideRequest,
  Override: override,
  OverrideList: answer('Overrides that have not ended.', {
    overrides: list(override, 'Of several on a bucket the first wins.'),
  }),
  Usage: usage,
  ResetRequest: resetRequest,
  Reset: resetAnswer,
  ExplainRequest: explainRequest,
  Explanation: explanation,
  Decision: decision,
  PoolList: poolList,
  Error: error,
} as const

export type AdminSchemaName = keyof typeof adminSchemas
export type AdminValue<Name extends AdminSchemaName> = Static<(typeof adminSchemas)[Name]>
