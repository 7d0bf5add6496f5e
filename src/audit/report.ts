import type { Finding, Report } from './verify.ts'

const placeOf = ({ segment, line }: Finding): string =>
  [segment, line > 0 ? `line ${line}` : ''].filter((part) => part !== '').join(' ')

const findingText = (finding: Finding): string =>
  [`seq ${finding.seq}`, placeOf(finding), finding.code].filter((part) => part !== '').join(', ')

function verdict({ intact, anchored }: Report): string {
  if (!intact) return 'NOT INTACT'
  return anchored
    ? 'intact, and contains the given head'
    : 'intact (no head from outside was given: a cut end would not show)'
}

/** A report as lines for people. */
export function reportText(report: Report): string {
  const { source, records, segments, bytes, head, error, warnings, warningCount } = report
  const lines = [
    `audit log ${source}: ${verdict(report)}`,
    `  records  ${records} in ${segments} segment${segments === 1 ? '' : 's'}, ${bytes} bytes read`,
    `  head     ${head.seq}:${head.hash}`,
  ]
  if (error !== null) lines.push(`  error    ${findingText(error)}`, `           ${error.detail}`)
  for (const warning of warnings)
    lines.push(`  warning  ${findingText(warning)}`, `           ${warning.detail}`)
  if (warningCount > warnings.length) lines.push(`  warning  and ${warningCount - warnings.length} more`)
  return `${lines.join('\n')}\n`
}
