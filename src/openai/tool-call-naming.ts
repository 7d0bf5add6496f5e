import { createHash } from 'node:crypto'

/**
 * Ids and names of the tool calls of one exchange.
 *
 * 1. Ids are ours. A model server's id is text of its choice that no rule screens. Servers only ask that a call and its
 *    result carry the same id within a conversation; ours hold the exchange's id, so two replies never share one.
 * 2. The id of a call is the same in every event.
 * 3. A call is named once. Clients join the names of several events: `delete` and `_all`, both offered, would become
 *    a tool that was not.
 */
export class ToolCallNaming {
  readonly #exchangeId: string
  readonly #named = new Set<string>()

  constructor(exchangeId: string | undefined) {
    this.#exchangeId = exchangeId ?? ''
  }

  /**
   * Letters only, so that no rule takes a run of digits for a value when the caller sends the id back. vLLM cuts ids to
   * their last nine characters for Mistral models; those are still distinct.
   */
  idOf(choice: number, index: number): string {
    const digest = createHash('sha256').update(`${this.#exchangeId}/${choice}/${index}`).digest('hex')
    return `call_${digest.slice(0, idDigits).replace(/./g, letterOf)}`
  }

  /** False when the call already has a name. */
  name(choice: number, call: string): boolean {
    const key = `${choice}/${call}`
    if (this.#named.has(key)) return false
    this.#named.add(key)
    return true
  }
}

const idDigits = 16

/** 0..f as a..p. */
const letterOf = (digit: string): string => String.fromCharCode(97 + Number.parseInt(digit, 16))
