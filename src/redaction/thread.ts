/** One run of the automaton from one start. */
export interface Thread {
  start: number
  state: number
  /** The longest valid match so far, and its rule. */
  end: number
  rule: number
  /** An end that waits for the code unit after its neighbor, the state it was reached in, the neighbor's class. */
  waitEnd: number
  waitState: number
  waitNear: number
  /** Invisible code units since the start, as far as they do not count. */
  unseen: number
}

/** A thread that begins; `idle` is one that is used again. */
export function beginThread(idle: Thread | undefined, start: number, state: number): Thread {
  const thread = idle ?? {
    start,
    state,
    end: -1,
    rule: -1,
    waitEnd: -1,
    waitState: 0,
    waitNear: 0,
    unseen: 0,
  }
  thread.start = start
  thread.state = state
  thread.end = -1
  thread.waitEnd = -1
  thread.unseen = 0
  return thread
}
