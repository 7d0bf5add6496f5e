import type { Kind, Profile } from '../../policy/profile.ts'
import { error, type Finding, list, type Path, warning } from '../problem.ts'
import type { AnalyzerConfig } from '../schema/redaction.ts'
import type { Knowledge } from '../sections.ts'
import { pairFindings } from './server-tls.ts'

const path: Path = ['recognizerService']

/** A recognizer service that texts may not be sent to, or for nothing. `kinds`: what it is asked for. */
export function analyzerFindings(
  service: AnalyzerConfig | undefined,
  { kinds, profiles, knowledge }: Surroundings,
): Finding[] {
  if (service === undefined) return []
  const fault = knowledge.analyzerUrlFault(service.url)
  return [
    ...(fault === undefined ? [] : [error('redaction', [...path, 'url'], `cannot be used: ${fault}`)]),
    ...tlsFindings(service),
    ...unusedFindings(kinds, profiles),
  ]
}

interface Surroundings {
  readonly kinds: readonly Kind[]
  readonly profiles: readonly Profile[]
  readonly knowledge: Knowledge
}

function tlsFindings({ url, tls }: AnalyzerConfig): Finding[] {
  const inTls: Path = [...path, 'tls']
  if (url.startsWith('https:'))
    return tls === undefined
      ? [error('redaction', path, 'is https:// and needs tls.ca: the roots of the system are never used')]
      : pairFindings('redaction', inTls, tls)
  return tls === undefined ? [] : [error('redaction', inTls, 'is given, but the address is not https://')]
}

function unusedFindings(kinds: readonly Kind[], profiles: readonly Profile[]): Finding[] {
  const isUsed = profiles.some((profile) =>
    kinds.some((kind) => profile.actionOf('prompt', kind) !== 'allow'),
  )
  if (isUsed) return []
  const names = list(kinds.map(({ entity }) => entity))
  return [warning('redaction', path, `is never asked: every profile allows ${names} in prompts`)]
}
