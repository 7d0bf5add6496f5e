import { error, type Finding, list, type Path, quote, warning } from '../problem.ts'
import type { RoleConfig } from '../schema/policies.ts'
import type { Knowledge, Sections } from '../sections.ts'

/** References of roles and scopes that lead nowhere, and what a role promises but could not keep. */
export const roleFindings = (sections: Sections, knowledge: Knowledge): Finding[] => [
  ...scopeFindings(sections, knowledge),
  ...Object.entries(sections.policies.roles).flatMap(([name, role]) => [
    ...references(['roles', name], role, sections, knowledge),
    ...reachability(['roles', name], name, sections),
  ]),
  ...unused(sections),
  ...unreachableModels(sections, knowledge),
  ...roleMaps(sections),
]

/** A name without a star that is no model is a slip of the pen; a glob may be waiting for a model to come. */
function scopeFindings({ policies, models }: Sections, { matches }: Knowledge): Finding[] {
  const names = Object.keys(models.models)
  return Object.entries(policies.scopes).flatMap(([scope, { models: globs }]) =>
    globs.flatMap((glob, index) => {
      if (names.some((name) => matches(glob, name))) return []
      const path: Path = ['scopes', scope, 'models', index]
      return glob.includes('*')
        ? [warning('policies', path, `${quote(glob)} matches no model`)]
        : [error('policies', path, `${quote(glob)} is not a model; models are: ${list(names)}`)]
    }),
  )
}

function references(
  path: Path,
  role: RoleConfig,
  { policies, redaction }: Sections,
  knowledge: Knowledge,
): Finding[] {
  const findings = role.scopes.flatMap((scope, index) =>
    Object.hasOwn(policies.scopes, scope)
      ? []
      : [
          error(
            'policies',
            [...path, 'scopes', index],
            `${quote(scope)} is not a scope; scopes are: ${list(Object.keys(policies.scopes))}`,
          ),
        ],
  )
  const profile = Object.hasOwn(redaction.profiles, role.redaction)
    ? redaction.profiles[role.redaction]
    : undefined
  if (profile === undefined) {
    const known = list(Object.keys(redaction.profiles))
    findings.push(
      error(
        'policies',
        [...path, 'redaction'],
        `${quote(role.redaction)} is not a profile; profiles are: ${known}`,
      ),
    )
  } else if (
    role.parameters.logprobsMax !== undefined &&
    !knowledge.openProfile(role.redaction, profile).passesReplies
  ) {
    findings.push(
      error(
        'policies',
        [...path, 'parameters', 'logprobsMax'],
        `cannot be given with profile ${quote(role.redaction)}: logprobs would show the text that it hides or changes in replies`,
      ),
    )
  }
  return findings
}

/** Whether any token can carry the role, and whether one that carries it can be bound. */
function reachability(path: Path, name: string, { policies, gateway }: Sections): Finding[] {
  const issuers = gateway.identity.issuers.filter(({ claims }) => mayGrant(claims.roleMap, name))
  if (issuers.length === 0) {
    return [
      warning('policies', path, 'is a role that no issuer can give: it is in no roleMap of gateway.yaml'),
    ]
  }
  const needsBinding = policies.roles[name]?.binding === 'required'
  return needsBinding && issuers.every(({ kind }) => kind === 'kubernetes')
    ? [
        error(
          'policies',
          [...path, 'binding'],
          `cannot be required: ServiceAccount tokens are never bound to a certificate (${list(issuers.map((issuer) => issuer.name))})`,
        ),
      ]
    : []
}

const mayGrant = (roleMap: Readonly<Record<string, string>> | undefined, role: string): boolean =>
  roleMap === undefined || Object.values(roleMap).includes(role)

function unused({ policies, redaction }: Sections): Finding[] {
  const roles = Object.values(policies.roles)
  const scopes = new Set(roles.flatMap((role) => role.scopes))
  const profiles = new Set(roles.map((role) => role.redaction))
  return [
    ...(roles.length === 0 ? [warning('policies', ['roles'], 'is empty: nobody may do anything')] : []),
    ...Object.keys(policies.scopes)
      .filter((scope) => !scopes.has(scope))
      .map((scope) => warning('policies', ['scopes', scope], 'is a scope that no role grants')),
    ...Object.keys(redaction.profiles)
      .filter((profile) => !profiles.has(profile))
      .map((profile) => warning('redaction', ['profiles', profile], 'is a profile that no role uses')),
  ]
}

function unreachableModels({ policies, models }: Sections, { matches }: Knowledge): Finding[] {
  const globs = Object.values(policies.scopes).flatMap((scope) => scope.models)
  return Object.keys(models.models)
    .filter((model) => !globs.some((glob) => matches(glob, model)))
    .map((model) => warning('models', ['models', model], 'is a model that no scope covers'))
}

function roleMaps({ gateway, policies }: Sections): Finding[] {
  return gateway.identity.issuers.flatMap(({ claims }, issuer) =>
    Object.entries(claims.roleMap ?? {})
      .filter(([, role]) => !Object.hasOwn(policies.roles, role))
      .map(([value, role]) =>
        error(
          'gateway',
          ['identity', 'issuers', issuer, 'claims', 'roleMap', value],
          `${quote(role)} is not a role; roles are: ${list(Object.keys(policies.roles))}`,
        ),
      ),
  )
}
