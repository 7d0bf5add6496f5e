/** Where a value stands in a document: keys of mappings and indexes of lists. */
export type Path = readonly (string | number)[]

/** The four files of a configuration folder. */
export const configFiles = {
  gateway: 'gateway.yaml',
  models: 'models.yaml',
  policies: 'policies.yaml',
  redaction: 'redaction.yaml',
} as const

export type Part = keyof typeof configFiles

/** Something that an operator should know, before it has a line. `error` stops the boot, `warning` does not. */
export interface Finding {
  readonly part: Part
  readonly path: Path
  readonly message: string
  readonly level: 'error' | 'warning'
}

/** Something that an operator should know, with its place. Messages name keys and references, never contents of files. */
export interface Problem {
  readonly file: string
  /** From 1; 0 when there is no text to point at. */
  readonly line: number
  readonly column: number
  /** `roles.app.scopes[0]`; empty for the whole file. */
  readonly path: string
  readonly message: string
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/
const SHOWN_LENGTH_MAX = 80

/** `models["org/name"].pool`, as a person would write it. */
export function printPath(path: Path): string {
  let printed = ''
  for (const step of path) {
    if (typeof step === 'number') printed += `[${step}]`
    else if (!plainKey.test(step)) printed += `[${quote(step)}]`
    else printed += printed === '' ? step : `.${step}`
  }
  return printed
}

/** A key or a reference, on one line, without control characters and cut to a bounded length. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text)

/** `a, b, c`, cut to a bounded number of entries. */
export function list(words: Iterable<string>): string {
  const sorted = [...words].sort()
  const shown = sorted.slice(0, 20).join(', ')
  return sorted.length > 20 ? `${shown} and ${sorted.length - 20} more` : shown || '(none)'
}

export const error = (part: Part, path: Path, message: string): Finding => ({
  part,
  path,
  message,
  level: 'error',
})
export const warning = (part: Part, path: Path, message: string): Finding => ({
  part,
  path,
  message,
  level: 'warning',
})
