/** The prefix cache of a server: blocks of prompts, the longest unused forgotten first. */
export class BlockCache {
  readonly #blocksMax: number
  readonly #blocks = new Set<number>()

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax
  }

  /** Blocks from the first on that it holds. */
  hits(blocks: readonly number[]): number {
    let hits = 0
    for (const block of blocks) {
      if (!this.#blocks.has(block)) break
      hits++
    }
    return hits
  }

  add(blocks: readonly number[]): void {
    for (let i = blocks.length - 1; i >= 0; i--) {
      const block = blocks[i] as number
      this.#blocks.delete(block)
      this.#blocks.add(block)
    }
    for (const block of this.#blocks) {
      if (this.#blocks.size <= this.#blocksMax) return
      this.#blocks.delete(block)
    }
  }
}
