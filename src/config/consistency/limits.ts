import type { LimitRule } from '../../policy/limit-rule.ts'
import { error, type Finding, list, type Path, quote, warning } from '../problem.ts'
import type { PoliciesConfig } from '../schema/policies.ts'
import type { Knowledge, Sections } from '../sections.ts'

type LimitConfig = NonNullable<PoliciesConfig['limits']>[string]

/** Limits that could not be kept, would never apply, or would count nothing. */
export const limitFindings = (sections: Sections, knowledge: Knowledge): Finding[] => [
  ...Object.entries(sections.policies.limits ?? {}).flatMap(([name, rule]) => [
    ...ruleFindings(['limits', name], rule, knowledge),
    ...reservedName(name, sections),
    ...references(['limits', name], rule, sections, knowledge),
    ...unpriced(['limits', name], rule, sections, knowledge),
  ]),
  ...priceFindings(sections),
  ...organizationFindings(sections),
]

function ruleFindings(path: Path, rule: LimitConfig, { limitFault }: Knowledge): Finding[] {
  const fault = limitFault(rule as LimitRule)
  return fault === undefined ? [] : [error('policies', [...path, fault.field], fault.message)]
}

/** Operators find the limits of roles under these names. */
function reservedName(name: string, { policies }: Sections): Finding[] {
  const role = Object.keys(policies.roles).find((role) => name.startsWith(`role.${role}.`))
  return role === undefined
    ? []
    : [error('policies', ['limits', name], `is the name of a limit of role ${quote(role)}: choose another`)]
}

function references(
  path: Path,
  { where }: LimitConfig,
  sections: Sections,
  { matches }: Knowledge,
): Finding[] {
  const { policies, models } = sections
  const known = {
    roles: Object.keys(policies.roles),
    models: Object.keys(models.models),
    organizations: Object.keys(policies.organizations ?? {}),
  }
  return (['roles', 'models', 'organizations'] as const).flatMap((field) =>
    (where?.[field] ?? []).flatMap((glob, index) =>
      known[field].some((name) => matches(glob, name))
        ? []
        : [
            warning(
              'policies',
              [...path, 'where', field, index],
              `${quote(glob)} matches none of the ${field}: ${list(known[field])}`,
            ),
          ],
    ),
  )
}

/** A limit of cost on a model without a price would count nothing. */
function unpriced(path: Path, rule: LimitConfig, { models }: Sections, { matches }: Knowledge): Finding[] {
  if (rule.counts !== 'cost') return []
  const covered = Object.entries(models.models).filter(([name]) =>
    (rule.where?.models ?? ['*']).some((glob) => matches(glob, name)),
  )
  const free = covered.filter(([, { price }]) => price === undefined).map(([name]) => name)
  return free.length === 0
    ? []
    : [error('policies', [...path, 'counts'], `needs prices: models.yaml has none for ${list(free)}`)]
}

function priceFindings({ models }: Sections): Finding[] {
  return Object.entries(models.models).flatMap(([name, { price }]) =>
    (['input', 'output'] as const)
      .filter((side) => price !== undefined && !hasThreeDecimals(price[side]))
      .map((side) => error('models', ['models', name, 'price', side], 'has more than three decimals')),
  )
}

const hasThreeDecimals = (price: number): boolean => Math.abs(price * 1000 - Math.round(price * 1000)) < 1e-6

/** A tenant in two organizations would be charged to one of them at random. */
function organizationFindings({ policies }: Sections): Finding[] {
  const seen = new Map<string, string>()
  return Object.entries(policies.organizations ?? {}).flatMap(([organization, tenants]) =>
    tenants.flatMap((tenant, index) => {
      const other = seen.get(tenant)
      seen.set(tenant, organization)
      return other === undefined
        ? []
        : [
            error(
              'policies',
              ['organizations', organization, index],
              `${quote(tenant)} is in organization ${quote(other)} already`,
            ),
          ]
    }),
  )
}
