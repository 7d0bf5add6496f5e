/** One server as a choice sees it. */
export interface Choice {
  /** Live load with the call that is to be placed; less is better. */
  readonly score: number
  /** 0 to 1: chance of being considered at all (slow start). */
  readonly share: number
  /** Calls that it has. */
  readonly inFlight: number
  readonly isFull: boolean
  readonly isTried: boolean
}

/**
 * So many are drawn and compared: in pools of this size and smaller, all. With two, as the literature has it, one call in
 * many meets two slow or busy servers, and the time to the first token of those is what the 99th percentile is. 16 were
 * better than two in every simulation, also with 32 gateways that know nothing of each other (docs/benchmarks/balance.md).
 */
export const drawnMax = 16

/**
 * Those that may be chosen: of the free and untried ones each with the chance of its share, at least one. A full server is
 * among them only when all untried ones are full, one that was tried only when all are.
 */
export function considered<C extends Choice>(choices: readonly C[], random: () => number): readonly C[] {
  const untried = choices.filter(({ isTried }) => !isTried)
  const usable = firstNotEmpty(
    untried.filter(({ isFull }) => !isFull),
    untried,
    choices.filter(({ isFull }) => !isFull),
    choices,
  )
  return firstNotEmpty(
    usable.filter(({ share }) => share >= 1 || random() < share),
    usable,
  )
}

/** Power of choices (Mitzenmacher 2001): the best of a few that are drawn by chance. */
export function bestOfDrawn<C extends Choice>(choices: readonly C[], random: () => number): C | undefined {
  return best(drawn(choices, random), random)
}

/** The least score, of equals the fewest calls, of equals any. */
export function best<C extends Choice>(choices: readonly C[], random: () => number): C | undefined {
  let chosen = choices[0]
  let equals = 0
  for (const choice of choices) {
    const order = chosen === undefined ? 0 : compared(choice, chosen)
    equals = order < 0 ? 1 : order === 0 ? equals + 1 : equals
    // Each of so many equals is left with the same chance.
    if (order < 0 || (order === 0 && random() * equals < 1)) chosen = choice
  }
  return chosen
}

function drawn<C>(choices: readonly C[], random: () => number): readonly C[] {
  if (choices.length <= drawnMax) return choices
  const rest = [...choices]
  for (let i = 0; i < drawnMax; i++) {
    const j = i + Math.floor(random() * (rest.length - i))
    const other = rest[j] as C
    rest[j] = rest[i] as C
    rest[i] = other
  }
  return rest.slice(0, drawnMax)
}

const compared = (a: Choice, b: Choice): number => a.score - b.score || a.inFlight - b.inFlight

const firstNotEmpty = <T>(...lists: readonly (readonly T[])[]): readonly T[] =>
  lists.find((list) => list.length > 0) ?? []
