import type { Category, Edge, Recognizer, Rule, Tier, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'

/**
 * The common form of issued keys: fixed first characters, then runs of a class with fixed text between them. A shape is
 * written once; its pattern, its bounds and its examples follow from it.
 */
export interface Run {
  readonly members: string
  /** So many make it certain. */
  readonly units: number
  /** More may follow in a closed shape. */
  readonly unitsMax?: number
  /** How long it is in keys that are issued today. */
  readonly typical?: number
}

export type Piece = string | Run

export interface Shape {
  /** Literal texts; a key begins with one of them. */
  readonly prefixes: readonly string[]
  readonly body: readonly Piece[]
  /**
   * `open`: certain as soon as the body is there, and what follows of the last class is swallowed. `closed`: nothing
   * of the last class may follow, for first characters that are not telling enough.
   */
  readonly end?: 'open' | 'closed'
  /** Members of the class that an open shape swallows, where it is not the last one of the body. */
  readonly tail?: string
  readonly joiners?: string
  readonly left?: Edge
  readonly validate?: Validator
  readonly score?: number
  readonly context?: readonly string[]
}

interface Description {
  readonly entity?: string
  readonly category?: Category
  readonly tier?: Tier
}

export const base64url = 'A-Za-z0-9_\\-'
export const base64 = 'A-Za-z0-9+/'
export const hexDigits = 'A-Fa-f0-9'

export const run = (members: string, units: number, typical = units): Run => ({ members, units, typical })
export const hex = (units: number, typical = units): Run => run(hexDigits, units, typical)
export const base62 = (units: number, typical = units): Run => run(alphanumeric, units, typical)
export const web64 = (units: number, typical = units): Run => run(base64url, units, typical)
export const uuid: readonly Piece[] = [hex(8), '-', hex(4), '-', hex(4), '-', hex(4), '-', hex(12)]

export const literal = (text: string): string => text.replace(/[.^$|?*+(){}[\]\\]/g, '\\$&')

function piecePattern(piece: Piece): string {
  if (typeof piece === 'string') return literal(piece)
  const { members, units, unitsMax } = piece
  return `[${members}]{${unitsMax === undefined ? units : `${units},${unitsMax}`}}`
}

const unitsOf = (pieces: readonly Piece[], bound: 'units' | 'unitsMax'): number =>
  pieces.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? piece.length : (piece[bound] ?? piece.units)),
    0,
  )

const isRun = (piece: Piece): piece is Run => typeof piece !== 'string'

const lastMembers = (body: readonly Piece[]): string => body.filter(isRun).at(-1)?.members ?? alphanumeric

/**
 * Looks at the body alone: it is as long in every match of a shape, or longer. Where all of it is hexadecimal nobody can
 * have written `xxxx` or `your-key`, and zeros are masked with the rest: they give nothing away, nor do they lose anything.
 */
const bodyValidator = (body: readonly Piece[]): Validator => {
  const units = unitsOf(body, 'units')
  if (body.filter(isRun).every(({ members }) => members === hexDigits)) return () => true
  return (text, _start, end) => looksIssued(text, end - units, end)
}

export function shapeRule(shape: Shape): Rule {
  const { prefixes, body, left = { not: alphanumeric }, validate, score, context } = shape
  const members = shape.tail ?? lastMembers(body)
  const heads = prefixes.map(literal)
  const head = heads.length === 1 ? heads[0] : `(${heads.join('|')})`
  const tail = { kind: 'run', members, ...(shape.joiners && { joiners: shape.joiners }) } as const
  return {
    pattern: head + body.map(piecePattern).join(''),
    left,
    lengthMax: Math.max(...prefixes.map(({ length }) => length)) + unitsOf(body, 'unitsMax'),
    ...(shape.end === 'closed' ? { right: { not: `${alphanumeric}${members}` } } : { sure: tail }),
    validate: validate ?? bodyValidator(body),
    ...(score !== undefined && { score }),
    ...(context !== undefined && { context }),
  }
}

/** The characters of a class, written as for a pattern. */
function expand(members: string): string {
  let chars = ''
  for (const [, low, high] of members.matchAll(/\\?(.)(?:-\\?(.))?/g)) {
    const first = low?.charCodeAt(0) ?? 0
    const last = high?.charCodeAt(0) ?? first
    for (let unit = first; unit <= last; unit++) chars += String.fromCharCode(unit)
  }
  return chars
}

/** A number that a text alone decides, well mixed (FNV-1a): examples are the same on every machine. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
    state ^= state >>> 15
  }
  return state >>> 0
}

/** No scanner for secrets takes exception to a source without keys, so the examples are drawn, not written. */
function draw(piece: Piece, seed: string): string {
  if (typeof piece === 'string') return piece
  const chars = expand(piece.members)
  // Neither end is a sign: what stands beside a value in a text would otherwise be read as its part.
  const letters = [...chars].filter((char) => /[A-Za-z0-9]/.test(char)).join('') || chars
  const length = piece.typical ?? piece.units
  return Array.from({ length }, (_, index) => {
    const from = index === 0 || index === length - 1 ? letters : chars
    return from.charAt(hash(`${seed} ${index}`) % from.length)
  }).join('')
}

const drawKey = (prefix: string, body: readonly Piece[], seed: string): string =>
  prefix + body.map((piece, index) => draw(piece, `${seed} ${index}`)).join('')

/** One unit short of being certain. */
function cut(body: readonly Piece[]): readonly Piece[] {
  const last = body.findLastIndex(isRun)
  return body.slice(0, last + 1).map((piece, index) => {
    if (index !== last || typeof piece === 'string') return piece
    return { ...piece, typical: piece.units - 1 }
  })
}

/** Keys for each of the first characters of a shape, three at least, and four texts that are nearly one. */
export function shapeExamples(id: string, shapes: readonly Shape[]) {
  const match = shapes.flatMap(({ prefixes, body, score }) => {
    const before = score === undefined ? '' : 'token: '
    const seeds = prefixes.length < 3 ? ['1', '2', '3'] : ['1']
    return prefixes
      .flatMap((prefix) => seeds.map((seed) => drawKey(prefix, body, `${id} ${seed}`)))
      .map((value) => (before === '' ? value : { before, value }))
  })
  const miss = shapes.flatMap(({ prefixes: [prefix = ''], body }) => [
    `Z${drawKey(prefix, body, id)}`,
    drawKey(prefix, cut(body), id),
    prefix + body.map((piece) => (isRun(piece) ? 'x'.repeat(piece.units) : piece)).join(''),
    `${prefix}your-key-here`,
  ])
  return { match, miss }
}

/** A recognizer of the keys of a vendor, of any of these shapes. */
export function vendorKeys(id: string, shapes: readonly Shape[], about: Description = {}): Recognizer {
  return {
    id,
    entity: about.entity ?? 'API_KEY',
    category: about.category ?? 'secret',
    tier: about.tier ?? 1,
    family: 'prefix',
    rules: shapes.map(shapeRule),
    // Drawn when a test asks for them: it takes longer than to load everything else.
    get examples() {
      return shapeExamples(id, shapes)
    },
  }
}

/** A recognizer of one open shape. */
export const vendorKey = (id: string, prefixes: readonly string[], ...body: readonly Piece[]): Recognizer =>
  vendorKeys(id, [{ prefixes, body }])

/** A recognizer of one closed shape. */
export const closedKey = (id: string, prefixes: readonly string[], ...body: readonly Piece[]): Recognizer =>
  vendorKeys(id, [{ prefixes, body, end: 'closed' }])
