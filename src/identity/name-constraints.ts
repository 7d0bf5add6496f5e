import type { Extensions } from './certificate-extensions.ts'

/**
 * Whether an authority may speak for a URI (RFC 5280 section 4.2.1.10): a constraint is a host, or with a leading dot
 * every host below a domain. A URI whose host cannot be read is not permitted where there is a constraint.
 */
export function uriIsPermitted(uri: string, constraints: Extensions['nameConstraints']): boolean {
  if (constraints === undefined) return true
  const { permittedUris, excludedUris } = constraints
  if (permittedUris.length + excludedUris.length === 0) return true
  const host = hostOf(uri)
  if (host === undefined || excludedUris.some((tree) => holds(tree, host))) return false
  return permittedUris.length === 0 || permittedUris.some((tree) => holds(tree, host))
}

// By hand, not by `new URL`: it would normalize, and what was signed is what counts.
const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([A-Za-z0-9._-]+)(?::[0-9]*)?(?:[/?#]|$)/
const address = /^[0-9.]+$/

function hostOf(uri: string): string | undefined {
  const host = authority.exec(uri)?.[1]?.toLowerCase()
  return host === undefined || address.test(host) ? undefined : host
}

const holds = (tree: string, host: string): boolean =>
  tree.startsWith('.') ? host.length > tree.length && host.endsWith(tree) : host === tree
