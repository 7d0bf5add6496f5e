import type { Clock } from '../../src/clock.ts'
import { openEmbeddedStore } from '../../src/quota/embedded/open.ts'
import type { QuotaStore } from '../../src/quota/store.ts'

/** The embedded store without a folder: its state ends with the test. */
export const storeInMemory = (clock: Clock): Promise<QuotaStore> => openEmbeddedStore({ clock })
