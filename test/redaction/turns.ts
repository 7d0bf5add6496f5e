/** Counts the turns that the event loop gets while something is under way. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let under = true
  const turn = (): void => {
    turns++
    if (under) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  under = false
  return turns
}
