import type { DocumentStore, StoredDocument } from '../store.ts'
import type { RedisConnection } from './client.ts'
import type { Keys } from './keys.ts'
import type { Link, RunScript } from './link.ts'

export interface DocumentParts {
  readonly redis: RedisConnection
  readonly run: RunScript
  readonly link: Pick<Link, 'ask'>
  readonly keys: Keys
}

/**
 * Operators' documents: one hash, name -> `version:text`. All gateways read a counter of changes with each heartbeat.
 * While Redis is away every call rejects with `StoreAway`.
 */
export class RedisDocuments implements DocumentStore {
  readonly #parts: DocumentParts
  readonly #watchers = new Map<symbol, () => void>()
  #changes: number | undefined

  constructor(parts: DocumentParts) {
    this.#parts = parts
  }

  async get(name: string): Promise<StoredDocument | undefined> {
    const { redis, link, keys } = this.#parts
    const stored = await link.ask(() => redis.hget(keys.documents, name))
    return stored === null ? undefined : documentOf(stored)
  }

  async list(prefix: string): Promise<ReadonlyMap<string, StoredDocument>> {
    const { redis, link, keys } = this.#parts
    const stored = await link.ask(() => redis.hgetall(keys.documents))
    const found = Object.entries(stored).filter(([name]) => name.startsWith(prefix))
    return new Map(found.map(([name, text]) => [name, documentOf(text)]))
  }

  async put(name: string, text: string, expected: number): Promise<number | undefined> {
    const version = await this.#change([name, expected, text])
    return version > 0 ? version : undefined
  }

  async delete(name: string, expected: number): Promise<boolean> {
    return (await this.#change([name, expected])) === 0
  }

  watch(_prefix: string, changed: () => void): Disposable {
    const id = Symbol('watch')
    this.#watchers.set(id, changed)
    return { [Symbol.dispose]: () => void this.#watchers.delete(id) }
  }

  /** Takes the counter that a heartbeat brought. Another one than last time: anything may have changed. */
  heard(changes: number): void {
    const before = this.#changes
    this.#changes = changes
    if (before !== undefined && before !== changes) this.#tell()
  }

  async #change(args: readonly (string | number)[]): Promise<number> {
    const { run, link, keys } = this.#parts
    const version = Number(await link.ask(() => run('document', [keys.documents, keys.changes], args)))
    if (version >= 0) this.#tell()
    return version
  }

  #tell(): void {
    for (const changed of this.#watchers.values()) changed()
  }
}

function documentOf(stored: string): StoredDocument {
  const colon = stored.indexOf(':')
  return { version: Number(stored.slice(0, colon)), text: stored.slice(colon + 1) }
}
