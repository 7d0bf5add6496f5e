/** Rows with the same keys as a table in Markdown. */
export function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const heads = Object.keys(rows[0] ?? {})
  const cells = [heads, ...rows.map((row) => heads.map((head) => String(row[head])))]
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(' | ')} |\n`
  const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|\n`
  return cells.map((row, index) => line(row) + (index === 0 ? rule : '')).join('')
}
