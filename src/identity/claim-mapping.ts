import { isPrintable } from './printable.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'

/** Names of nested members, outermost first. A list, so that a name may hold dots: `['kubernetes.io', 'namespace']`. */
export type ClaimPath = readonly string[]

/** Where an issuer's tokens keep what the gateway wants to know. */
export interface ClaimMapping {
  /** The tenant that is billed: always the same, or read from a claim. */
  readonly tenant: { readonly fixed: string } | { readonly path: ClaimPath }
  /** Roles: a list of strings, or one string with spaces between. A missing claim means no roles. */
  readonly roles: ClaimPath
  /** The issuer's role names -> ours. With a map, a role that is not in it counts for nothing. */
  readonly roleMap?: Readonly<Record<string, string>>
  /** OAuth scopes, spelled like roles; without a path the token's scopes are not looked at. */
  readonly scopes?: ClaimPath
}

export interface MappedClaims {
  readonly tenant: string
  readonly roles: readonly string[]
  readonly tokenScopes: readonly string[] | undefined
}

export const tenantLengthMax = 128
export const roleLengthMax = 128
const listLengthMax = 128

/** Reads tenant, roles and scopes. A claim of another shape than the mapping expects refuses the token. */
export function mapClaims(claims: JsonObject, mapping: ClaimMapping): MappedClaims {
  return {
    tenant: 'fixed' in mapping.tenant ? mapping.tenant.fixed : readTenant(claims, mapping.tenant.path),
    roles: mapRoles(readNames(claims, mapping.roles), mapping.roleMap),
    // A scope path that leads nowhere is a token without scopes, not a token that scopes do not limit.
    tokenScopes: mapping.scopes && readNames(claims, mapping.scopes),
  }
}

/** The value at the end of a path of own members, or `undefined`. */
export function claimAt(claims: JsonObject, path: ClaimPath): unknown {
  let value: unknown = claims
  for (const name of path) {
    if (!isJsonObject(value)) return undefined
    value = member(value, name)
  }
  return value
}

function readTenant(claims: JsonObject, path: ClaimPath): string {
  const tenant = claimAt(claims, path)
  if (tenant === undefined) throw tokenRefusal('missing_claim')
  if (!isPrintable(tenant, tenantLengthMax)) throw tokenRefusal('bad_claim')
  return tenant
}

function readNames(claims: JsonObject, path: ClaimPath): readonly string[] {
  const value = claimAt(claims, path)
  if (value === undefined) return []
  const names: readonly unknown[] =
    typeof value === 'string' ? splitBySpace(value) : Array.isArray(value) ? value : [value]
  if (names.length > listLengthMax) throw tokenRefusal('bad_claim')
  const read = names.filter((name) => isPrintable(name, roleLengthMax))
  if (read.length !== names.length) throw tokenRefusal('bad_claim')
  return Object.freeze([...new Set(read)])
}

const splitBySpace = (text: string): readonly string[] => (text === '' ? [] : text.split(' '))

function mapRoles(
  names: readonly string[],
  roleMap: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  if (roleMap === undefined) return names
  const roles = names.map((name) => (Object.hasOwn(roleMap, name) ? roleMap[name] : undefined))
  return Object.freeze([...new Set(roles.filter((role) => role !== undefined))])
}
