import { setTimeout as delay } from 'node:timers/promises'

const patienceMs = 20_000

/** Asks until it is so. Rejects with what was last heard. */
export async function holds(isSo: () => Promise<boolean> | boolean): Promise<void> {
  let heard: unknown = false
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(20)) {
    heard = await Promise.try(isSo).catch((error: unknown) => error)
    if (heard === true) return
  }
  throw new Error(`did not come about: ${heard}`)
}
