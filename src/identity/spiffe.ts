/** The parts of a SPIFFE id; `trustDomain` has been checked for grammar, not for being known. */
export interface SpiffeId {
  readonly trustDomain: string
  /** Begins with `/`; empty for the id of the trust domain itself. */
  readonly path: string
}

// SPIFFE-ID sections 2.1 to 2.3: lower-case only, no percent escapes, no port, no user, 2048 bytes at most.
const trustDomainPattern = /^[a-z0-9._-]{1,255}$/
const segmentPattern = /^[A-Za-z0-9._-]+$/
const scheme = 'spiffe://'
const idBytesMax = 2048

/**
 * Takes a SPIFFE id apart, or says `undefined` for anything that is not one. The text is compared byte for byte:
 * a URL parser would make `spiffe://a/x/../admin` another id than the one that was signed.
 */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > idBytesMax || !text.startsWith(scheme)) return undefined
  const rest = text.slice(scheme.length)
  const slash = rest.indexOf('/')
  const trustDomain = slash === -1 ? rest : rest.slice(0, slash)
  const path = slash === -1 ? '' : rest.slice(slash)
  return isTrustDomain(trustDomain) && isPath(path) ? { trustDomain, path } : undefined
}

/** Whether a text is the name of a trust domain. */
export const isTrustDomain = (text: string): boolean => trustDomainPattern.test(text)

function isPath(path: string): boolean {
  if (path === '') return true
  const [, ...segments] = path.split('/')
  return segments.every((segment) => segmentPattern.test(segment) && segment !== '.' && segment !== '..')
}
