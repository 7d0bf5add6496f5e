import type { Clock } from '../clock.ts'
import { isSignatureAlgorithm, type SignatureAlgorithm } from './algorithm.ts'
import type { BindingRule } from './binding.ts'
import { type ClaimMapping, type ClaimPath, tenantLengthMax } from './claim-mapping.ts'
import type { ClaimRules } from './claims.ts'
import { RemoteKeys } from './jwks.ts'
import type { KeyFetcher } from './key-fetching.ts'
import type { KeySource, RefreshListener } from './key-source.ts'
import { LocalKeys } from './local-keys.ts'
import { isPrintable } from './printable.ts'
import type { JsonObject } from './strict-json.ts'

/** Where an issuer's keys come from: a file, read by the function given here, or a fixed https URL. */
export type KeyOrigin =
  | { readonly kind: 'file'; readonly read: () => Uint8Array }
  | {
      readonly kind: 'url'
      readonly url: string
      readonly fetcher: KeyFetcher
      readonly maxAgeSeconds?: number
      readonly staleSecondsMax?: number
      readonly timeoutMs?: number
    }

/** One token issuer, as the operator configures it. */
export interface IssuerOptions {
  /** Short name: the first half of every principal's id, and a metric label. */
  readonly name: string
  /** The `iss` claim, exact. */
  readonly issuer: string
  readonly audience: string
  readonly audienceMayBeList?: boolean
  readonly algorithms: readonly SignatureAlgorithm[]
  /** A source that is given ready is asked and closed like one that is made here. */
  readonly keys: KeyOrigin | { readonly kind: 'ready'; readonly source: KeySource }
  readonly types?: readonly string[]
  readonly typeMayBeAbsent?: boolean
  readonly tokenLifetimeSecondsMax?: number
  readonly clockSkewSeconds?: number
  readonly binding?: BindingRule
  readonly mapping: ClaimMapping
  readonly isConsistent?: (claims: JsonObject, subject: string) => boolean
}

/** An issuer that tokens can be held against. */
export interface Issuer {
  readonly name: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly rules: ClaimRules
  readonly keys: KeySource
}

export interface IssuerSurroundings {
  readonly clock: Clock
  readonly onRefresh?: RefreshListener | undefined
}

/** Makes an issuer; throws an `Error` with the option's name when an option makes no sense. */
export function createIssuer(options: IssuerOptions, surroundings: IssuerSurroundings): Issuer {
  const rules = claimRules(options)
  refuseNonsense(options, rules)
  return {
    name: options.name,
    algorithms: [...options.algorithms],
    rules,
    keys: options.keys.kind === 'ready' ? options.keys.source : createKeySource(options.keys, surroundings),
  }
}

function claimRules(options: IssuerOptions): ClaimRules {
  const { issuer, audience, mapping, isConsistent } = options
  return {
    issuer,
    audience,
    audienceMayBeList: options.audienceMayBeList ?? false,
    types: options.types ?? ['at+jwt', 'JWT'],
    typeMayBeAbsent: options.typeMayBeAbsent ?? false,
    tokenLifetimeSecondsMax: options.tokenLifetimeSecondsMax ?? 3600,
    clockSkewSeconds: options.clockSkewSeconds ?? 30,
    binding: options.binding ?? 'none',
    mapping,
    ...(isConsistent && { isConsistent }),
  }
}

/** Makes the source of an issuer's keys, which may outlive the issuer. Throws when the origin makes no sense. */
export function createKeySource(origin: KeyOrigin, surroundings: IssuerSurroundings): KeySource {
  demand(
    origin.kind === 'file' || isPlainHttps(origin.url),
    'keys.url must be https, without user or fragment',
  )
  return origin.kind === 'file'
    ? new LocalKeys({ read: origin.read, ...surroundings })
    : new RemoteKeys({ ...origin, ...surroundings })
}

/** The issuer of Kubernetes' old tokens, which never expire: not one to trust. */
const legacyKubernetes = 'kubernetes/serviceaccount'

function refuseNonsense(options: IssuerOptions, rules: ClaimRules): void {
  const { name, algorithms, mapping } = options
  demand(/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name), 'name must be a short lower-case name')
  demand(
    isPrintable(rules.issuer, 512) && rules.issuer !== legacyKubernetes,
    'issuer must be a printable name',
  )
  demand(isPrintable(rules.audience, 512), 'audience must be a printable name')
  demand(
    algorithms.length > 0 && algorithms.every(isSignatureAlgorithm),
    'algorithms must be signatures with public keys',
  )
  demand(
    rules.types.length > 0 && rules.types.every((type) => isPrintable(type, 64)),
    'types must not be empty',
  )
  demand(isWithin(rules.clockSkewSeconds, 0, 60), 'clockSkewSeconds must be 0 to 60')
  demand(
    isWithin(rules.tokenLifetimeSecondsMax, 1, 86_400 * 366),
    'tokenLifetimeSecondsMax must be 1 to a year',
  )
  refuseNonsenseMapping(mapping)
}

function refuseNonsenseMapping({ tenant, roles, scopes }: ClaimMapping): void {
  const isTenant = 'fixed' in tenant ? isPrintable(tenant.fixed, tenantLengthMax) : isPath(tenant.path)
  demand(isTenant, 'mapping.tenant must be a printable name or a path')
  demand(isPath(roles) && (scopes === undefined || isPath(scopes)), 'mapping paths must have 1 to 8 names')
}

const isPath = (path: ClaimPath): boolean => path.length > 0 && path.length <= 8

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && value >= min && value <= max

function isPlainHttps(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === ''
}

function demand(isMet: boolean, problem: string): void {
  if (!isMet) throw new Error(`issuer: ${problem}`)
}
