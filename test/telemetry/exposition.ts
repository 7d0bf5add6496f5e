/** A strict reader of the Prometheus text format, with the naming rules of `promtool check metrics`. */
export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: {
    readonly name: string
    readonly labels: Record<string, string>
    readonly value: number
  }[]
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y

function labelsOf(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {}
  if (text === undefined) return labels
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < text.length) {
    const match = labelPair.exec(text)
    if (!match?.[1]) throw new Error(`bad labels: ${text}`)
    if (match[1] in labels) throw new Error(`label twice: ${text}`)
    labels[match[1]] = match[2] ?? ''
  }
  return labels
}

const suffixes: Record<string, string[]> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

function readHeader(line: string, families: Map<string, Family>, current: Family | undefined): Family {
  const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
  if (keyword === 'HELP' && name && !families.has(name))
    return { name, help: rest ?? '', type: '', samples: [] }
  if (keyword === 'TYPE' && current?.name === name && current?.type === '' && rest && rest in suffixes) {
    return { ...(current as Family), type: rest }
  }
  throw new Error(`bad header: ${line}`)
}

function readSample(line: string, family: Family | undefined): void {
  const [, name, labels, value] = sampleLine.exec(line) ?? []
  if (!name || !family?.type) throw new Error(`not a sample: ${line}`)
  const suffix = name.slice(family.name.length)
  if (!name.startsWith(family.name) || !suffixes[family.type]?.includes(suffix))
    throw new Error(`stray sample: ${line}`)
  family.samples.push({ name, labels: labelsOf(labels), value: Number(value) })
}

/** Parses `/metrics`; throws on anything that a scraper would refuse. */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let family: Family | undefined
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (line.startsWith('#')) {
      family = readHeader(line, families, family)
      families.set(family.name, family)
    } else {
      const series = line.slice(0, line.lastIndexOf(' '))
      if (seen.has(series)) throw new Error(`series twice: ${line}`)
      seen.add(series)
      readSample(line, family)
    }
  }
  return families
}

/** What `promtool check metrics` would say, as far as names go. */
export function namingFaults(families: Map<string, Family>): string[] {
  const faults: string[] = []
  for (const { name, type, help } of families.values()) {
    if (help === '') faults.push(`${name}: no help`)
    if ((type === 'counter') !== name.endsWith('_total'))
      faults.push(`${name}: _total is for counters, and for all of them`)
    if (/_(bucket|sum|count|info_total)$/.test(name)) faults.push(`${name}: reserved suffix`)
    if (/[A-Z]/.test(name)) faults.push(`${name}: camel case`)
    if (/(milliseconds|_ms|minutes|hours|kilobytes|_percent)(_|$)/.test(name))
      faults.push(`${name}: not a base unit`)
    if (name.includes(type)) faults.push(`${name}: type in the name`)
  }
  return faults
}

/** The value of one series; `undefined` when there is none. */
export function sampleOf(
  families: Map<string, Family>,
  sample: string,
  labels: Record<string, string> = {},
): number | undefined {
  for (const family of families.values()) {
    const found = family.samples.find(
      (each) =>
        each.name === sample &&
        Object.entries(labels).every(([label, value]) => each.labels[label] === value),
    )
    if (found) return found.value
  }
  return undefined
}
