import type { Json, JsonObject } from './call.ts'
import { isObject } from './field.ts'
import { type Place, refuse } from './walk.ts'

/** Schemas that a compiler may have to write out when it follows every reference. */
const expandedMax = 20_000
const chainMax = 256

/** Keywords whose schemas apply to the same value, so that following them in a circle reads nothing and never ends. */
const inPlaceKeywords = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'] as const

/**
 * Refuses references that dangle or run in circles. A tool schema may be recursive through its properties, as a tree
 * is; a schema that is compiled to a grammar may not, and must stay small with every reference written out
 * (nested definitions that each refer twice to the next grow exponentially).
 */
export function checkReferences(root: JsonObject, purpose: 'grammar' | 'tool', place: Place): void {
  const follow = purpose === 'grammar' ? everyEdge : inPlaceEdges
  const references = new References(root, place, follow)
  for (const schema of purpose === 'grammar' ? [root] : allObjects(root)) references.expandedSize(schema, 0)
}

type Edges = (node: JsonObject | Json[]) => Json[]

const everyEdge: Edges = (node) => Object.values(node)

const inPlaceEdges: Edges = (node) => {
  if (Array.isArray(node)) return []
  return inPlaceKeywords.flatMap((keyword) => (Object.hasOwn(node, keyword) ? (node[keyword] ?? []) : []))
}

function allObjects(root: JsonObject): JsonObject[] {
  const found: JsonObject[] = []
  const waiting: Json[] = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (isObject(next)) found.push(next)
    if (typeof next === 'object' && next !== null) waiting.push(...Object.values(next))
  }
  return found
}

class References {
  readonly #root: JsonObject
  readonly #place: Place
  readonly #edges: Edges
  /** `open` while a schema is being followed: meeting it again then is a circle. */
  readonly #sizes = new Map<Json, number | 'open'>()

  constructor(root: JsonObject, place: Place, edges: Edges) {
    this.#root = root
    this.#place = place
    this.#edges = edges
  }

  expandedSize(node: Json, chain: number): number {
    if (typeof node !== 'object' || node === null) return 1
    const known = this.#sizes.get(node)
    if (known === 'open') return this.#refuse('references in a circle')
    if (known !== undefined) return known
    if (chain > chainMax) this.#refuse('a chain of references that is too long')
    this.#sizes.set(node, 'open')
    let size = 1
    for (const next of [...this.#edges(node), ...this.#target(node)])
      size += this.expandedSize(next, chain + 1)
    if (size > expandedMax) this.#refuse('references that expand to too much')
    this.#sizes.set(node, size)
    return size
  }

  #target(node: JsonObject | Json[]): Json[] {
    const reference = isObject(node) && Object.hasOwn(node, '$ref') ? node['$ref'] : undefined
    return typeof reference === 'string' ? [this.#resolve(reference)] : []
  }

  /** A JSON pointer (RFC 6901) in a fragment; anchors are not taken. */
  #resolve(reference: string): Json {
    let node: Json = this.#root
    for (const part of pointerOf(reference) ?? this.#refuse('a reference that is not a JSON pointer')) {
      const next: Json | undefined =
        typeof node === 'object' && node !== null && Object.hasOwn(node, part)
          ? (node as JsonObject)[part]
          : undefined
      node = next ?? this.#refuse('a reference to nothing')
    }
    return node
  }

  #refuse(detail: string): never {
    return refuse('invalid_value', this.#place, detail)
  }
}

function pointerOf(reference: string): string[] | undefined {
  if (reference === '#') return []
  if (!reference.startsWith('#/')) return undefined
  try {
    const parts = decodeURIComponent(reference.slice(2)).split('/')
    return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return undefined
  }
}
