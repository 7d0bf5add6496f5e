const colorOf: Readonly<Record<string, number>> = { debug: 90, info: 32, warn: 33, error: 31 }
const leading = new Set(['level', 'time', 'message', 'event'])

/** A JSON log line as a person reads it: time, level, message, then `field=value`. The line's texts are clean already. */
export function prettyLine(line: string, colors: 'ansi' | 'none'): string {
  const { level, time, message, ...rest } = JSON.parse(line) as Record<string, unknown>
  const paint = (text: string, color: number): string =>
    colors === 'ansi' ? `\u001b[${color}m${text}\u001b[0m` : text
  const fields = Object.entries(rest)
    .filter(([field]) => !leading.has(field))
    .map(([field, value]) => `${paint(`${field}=`, 90)}${prettyValue(value)}`)
  const head = `${String(time).slice(11, 23)} ${paint(String(level).toUpperCase().padEnd(5), colorOf[String(level)] ?? 0)}`
  return `${[head, String(message), ...fields].join(' ')}\n`
}

function prettyValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[\w./:@%+-]+$/.test(value) ? value : JSON.stringify(value)
}
