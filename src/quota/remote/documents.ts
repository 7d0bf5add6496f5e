import type { DocumentStore, StoredDocument } from '../store.ts'
import { nameOf, type StoreLine } from './line.ts'

/** Operators' documents, which the other process has. It tells of each change. */
export class RemoteDocuments implements DocumentStore {
  readonly #line: StoreLine
  readonly #watchers = new Map<symbol, () => void>()

  constructor(line: StoreLine) {
    this.#line = line
    // Of which one is not said: whoever watches reads them all.
    line.on(nameOf('changed'), () => {
      for (const changed of this.#watchers.values()) changed()
    })
  }

  async get(name: string): Promise<StoredDocument | undefined> {
    return ((await this.#line.call(nameOf('get'), [name])) ?? undefined) as StoredDocument | undefined
  }

  async list(prefix: string): Promise<ReadonlyMap<string, StoredDocument>> {
    return new Map((await this.#line.call(nameOf('list'), [prefix])) as [string, StoredDocument][])
  }

  async put(name: string, text: string, expected: number): Promise<number | undefined> {
    return ((await this.#line.call(nameOf('put'), [name, text, expected])) ?? undefined) as number | undefined
  }

  async delete(name: string, expected: number): Promise<boolean> {
    return (await this.#line.call(nameOf('delete'), [name, expected])) as boolean
  }

  watch(_prefix: string, changed: () => void): Disposable {
    const id = Symbol('watch')
    this.#watchers.set(id, changed)
    return { [Symbol.dispose]: () => void this.#watchers.delete(id) }
  }
}
