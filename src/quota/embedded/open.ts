import type { Clock } from '../../clock.ts'
import { Ledger, type LedgerOptions } from '../ledger.ts'
import type { QuotaStore } from '../store.ts'
import { Journal, type JournalEntry } from './journal.ts'
import { EmbeddedStore } from './store.ts'

export interface EmbeddedStoreOptions extends LedgerOptions {
  readonly clock: Clock
  /** Folder that belongs to this process alone. Left out: nothing outlives the process. */
  readonly directory?: string
  /** Called once, when the store is closed: gives the folder free. */
  readonly release?: () => Promise<void>
}

/** A deleted document needs no entry; a budget is kept for a day after its period, for settlements that come late. */
const keptMs = 86_400_000

/** Opens the store of one process. Throws `JournalError` when what is in the folder is damaged. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<QuotaStore> {
  const { clock, directory, release = async () => {}, ...bounds } = options
  const isOver = (entry: JournalEntry): boolean =>
    entry.kind === 'budget' ? entry.endMs + keptMs <= clock.now() : entry.text === null
  const journal = directory === undefined ? undefined : await Journal.open(directory, isOver)
  return new EmbeddedStore({ clock, ledger: new Ledger(bounds), journal, release })
}
