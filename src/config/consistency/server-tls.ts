import { error, type Finding, type Part, type Path } from '../problem.ts'

/** A certificate and its key stand together or not at all. */
export function pairFindings(
  part: Part,
  path: Path,
  { certificate, key }: { readonly certificate?: string; readonly key?: string },
): Finding[] {
  if (certificate !== undefined && key === undefined)
    return [error(part, path, 'has a certificate without its key')]
  if (key !== undefined && certificate === undefined)
    return [error(part, path, 'has a key without its certificate')]
  return []
}
