import type { TSchema } from 'typebox'
import { versionHash } from './canonical.ts'
import { configSchemas, consistencyFindings } from './consistency.ts'
import type { SchemaNode } from './defaults.ts'
import { type ConfigDocument, readDocument } from './document.ts'
import { checkMaterial } from './material.ts'
import { configFiles, type Finding, type Part, type Problem, printPath } from './problem.ts'
import { type FileReference, referencedFiles, withReplaced } from './referenced.ts'
import type { Knowledge, Sections } from './sections.ts'
import { checkShape } from './shape.ts'
import type { FileRead, FileSource } from './source.ts'

const CONFIG_BYTES_MAX = 1024 * 1024
const READ_ATTEMPTS_MAX = 5
const PROBLEMS_MAX = 500
const WRITABLE_BY_OTHERS = 0o002

const parts = Object.keys(configFiles) as Part[]

/** A whole configuration, checked and frozen. Paths in it are absolute. */
export interface Config extends Sections {
  /** Version of the policy: policies, models and redaction. */
  readonly hash: string
  /** Absolute paths of every file that it was made from, for watching. */
  readonly files: readonly string[]
}

export type Loaded =
  | { readonly config: Config; readonly warnings: readonly Problem[] }
  | {
      readonly problems: readonly Problem[]
      readonly warnings: readonly Problem[]
      /** Absolute paths of every file that was looked at: a change of any of them may be the cure. */
      readonly files: readonly string[]
    }

export interface LoadOptions extends Knowledge {
  /** Milliseconds since the epoch, for the dates of certificates. */
  readonly now: number
  /** `skip` leaves out certificates, keys and other files that the configuration names (for a build machine). */
  readonly material?: 'check' | 'skip'
}

/** What is known of one file after it was read. `value` is there only when the file on its own is right. */
interface PartState {
  readonly part: Part
  readonly document: ConfigDocument
  readonly findings: readonly Finding[]
  readonly problems: readonly Problem[]
  readonly value: unknown
}

/** Reads the four files, and returns either a configuration that can be enforced or everything that is wrong with it. */
export async function loadConfig(source: FileSource, options: LoadOptions): Promise<Loaded> {
  const states = (await readAll(source)).map(([part, found]) => readPart(part, found))
  const valid = states.filter(({ value }) => value !== undefined)
  const sections = Object.fromEntries(valid.map(({ part, value }) => [part, value])) as Partial<Sections>
  const references = valid.flatMap(({ part, value }) =>
    referencedFiles(configSchemas[part] as TSchema as SchemaNode, value).map((reference) => ({
      ...reference,
      part,
    })),
  )
  const findings = [
    ...states.flatMap((state) => state.findings),
    ...consistencyFindings(sections, options),
    ...(options.material === 'skip' ? [] : await checkMaterial(source, references, options)),
  ]
  const placed = (level: Finding['level']): Problem[] =>
    findings.filter((finding) => finding.level === level).map((finding) => placeOf(finding, states))
  const problems = inOrder([...states.flatMap((state) => state.problems), ...placed('error')])
  const warnings = inOrder(placed('warning'))
  const files = filesOf(source, references)
  if (problems.length > 0) return { problems, warnings, files }
  return { config: freeze({ ...assemble(source, sections as Sections, references), files }), warnings }
}

function readPart(part: Part, found: FileRead): PartState {
  const nothing = readDocument('')
  const broken = (document: ConfigDocument, problems: Problem[]): PartState => ({
    part,
    document,
    findings: [],
    problems,
    value: undefined,
  })
  if (found.kind !== 'file') return broken(nothing, [unreadable(part, found)])
  const text = decode(found.bytes)
  if (text === undefined) return broken(nothing, [wholeFile(part, 'must be UTF-8')])
  const document = readDocument(text)
  if (document.faults.length > 0) {
    return broken(
      document,
      document.faults.map(({ line, column, message }) => ({
        file: configFiles[part],
        line,
        column,
        path: '',
        message,
      })),
    )
  }
  const { value, mistakes } = checkShape(configSchemas[part], document.value)
  const findings = mistakes.map((mistake): Finding => ({ part, ...mistake, level: 'error' }))
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) {
    findings.push({
      part,
      path: [],
      level: 'warning',
      message: 'every user of the machine can change this file',
    })
  }
  return { part, document, findings, problems: [], value: mistakes.length > 0 ? undefined : value }
}

const wholeFile = (part: Part, message: string): Problem => ({
  file: configFiles[part],
  line: 0,
  column: 0,
  path: '',
  message,
})

const unreadable = (part: Part, found: Exclude<FileRead, { kind: 'file' }>): Problem =>
  wholeFile(
    part,
    found.kind === 'too large'
      ? `is larger than ${CONFIG_BYTES_MAX} bytes`
      : `is not a file that can be read: ${found.kind}`,
  )

const decode = (bytes: Buffer): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Reads until two passes agree: a mounted ConfigMap is swapped as a whole, and half of each version is neither. */
async function readAll(source: FileSource): Promise<[Part, FileRead][]> {
  let before = await readOnce(source)
  for (let attempt = 1; attempt < READ_ATTEMPTS_MAX; attempt += 1) {
    const after = await readOnce(source)
    if (after.every(([, found], index) => isSame(found, before[index]?.[1]))) return after
    before = after
  }
  return before
}

const readOnce = (source: FileSource): Promise<[Part, FileRead][]> =>
  Promise.all(
    parts.map(
      async (part): Promise<[Part, FileRead]> => [
        part,
        await source.read(configFiles[part], { bytesMax: CONFIG_BYTES_MAX }),
      ],
    ),
  )

const isSame = (a: FileRead, b: FileRead | undefined): boolean =>
  a.kind === 'file' && b?.kind === 'file' ? a.bytes.equals(b.bytes) : a.kind === b?.kind

function placeOf({ part, path, message }: Finding, states: readonly PartState[]): Problem {
  const document = states.find((state) => state.part === part)?.document
  const { line, column } = document?.place(path) ?? { line: 0, column: 0 }
  return { file: configFiles[part], line, column, path: printPath(path), message }
}

const inOrder = (problems: readonly Problem[]): Problem[] =>
  problems
    .toSorted((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line || a.column - b.column)
    .slice(0, PROBLEMS_MAX)

function assemble(
  source: FileSource,
  sections: Sections,
  references: readonly (FileReference & { readonly part: Part })[],
): Omit<Config, 'files'> {
  const resolved = Object.fromEntries(
    parts.map((part) => {
      const replacements = references
        .filter((reference) => reference.part === part)
        .map(({ path, file }) => ({ path, value: source.resolve(file) }))
      return [part, withReplaced(sections[part], replacements)]
    }),
  ) as unknown as Sections
  const { policies, models, redaction } = sections
  return {
    ...resolved,
    // Over what was written, not over absolute paths: two replicas in different folders run the same policy.
    hash: versionHash({ policies, models, redaction }),
  }
}

/** Folders are left out: they are written to all the time. */
const filesOf = (source: FileSource, references: readonly FileReference[]): string[] => {
  const named = references.filter(({ kind }) => kind !== 'folder').map(({ file }) => file)
  return [...new Set([...Object.values(configFiles), ...named].map((file) => source.resolve(file)))]
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
