import type { DocumentStore, StoredDocument } from '../store.ts'
import type { Journal } from './journal.ts'

/** Operators' documents: in memory, and on the disk before anybody sees them. */
export class EmbeddedDocuments implements DocumentStore {
  readonly #journal: Journal | undefined
  readonly #documents = new Map<string, StoredDocument>()
  readonly #watchers = new Map<symbol, { readonly prefix: string; readonly changed: () => void }>()
  /** One change at a time: versions are compared with what is durable. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(journal: Journal | undefined) {
    this.#journal = journal
    for (const entry of journal?.state.values() ?? [])
      if (entry.kind === 'document' && entry.text !== null)
        this.#documents.set(entry.name, { version: entry.version, text: entry.text })
  }

  async get(name: string): Promise<StoredDocument | undefined> {
    return this.#documents.get(name)
  }

  async list(prefix: string): Promise<ReadonlyMap<string, StoredDocument>> {
    return new Map([...this.#documents].filter(([name]) => name.startsWith(prefix)))
  }

  put(name: string, text: string, expected: number): Promise<number | undefined> {
    return this.#inTurn(async () => {
      if (this.#versionOf(name) !== expected) return undefined
      const version = expected + 1
      await this.#journal?.append({ kind: 'document', name, version, text })
      this.#documents.set(name, { version, text })
      this.#tell(name)
      return version
    })
  }

  delete(name: string, expected: number): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#documents.has(name) || this.#versionOf(name) !== expected) return false
      await this.#journal?.append({ kind: 'document', name, version: expected, text: null })
      this.#documents.delete(name)
      this.#tell(name)
      return true
    })
  }

  watch(prefix: string, changed: () => void): Disposable {
    const id = Symbol(prefix)
    this.#watchers.set(id, { prefix, changed })
    return { [Symbol.dispose]: () => void this.#watchers.delete(id) }
  }

  #versionOf(name: string): number {
    return this.#documents.get(name)?.version ?? 0
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change)
    this.#last = result.catch(() => {})
    return result
  }

  #tell(name: string): void {
    for (const { prefix, changed } of this.#watchers.values()) if (name.startsWith(prefix)) changed()
  }
}
