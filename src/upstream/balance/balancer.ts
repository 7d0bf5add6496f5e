import { best, bestOfDrawn, type Choice, considered } from './drawn-choices.ts'
import { PrefixAffinity, type PrefixAffinityOptions } from './prefix-affinity.ts'
import { bytesOf } from './prompt-blocks.ts'

/** What the balancer has to know of a server. */
export interface Balanced {
  readonly origin: string
  /** Calls that it has, and calls that it may have beside them. */
  readonly held: number
  readonly room: number
  /** load.ts */
  readonly load: { readonly slowness: number; readonly backlog: number }
}

export interface BalancerCandidate<M extends Balanced> {
  readonly member: M
  /** 0 to 1: its part of the load beside the others (slow start). */
  readonly share: number
}

export interface BalancedCall {
  /** Estimated tokens of the prompt. */
  readonly inputTokens: number
  /** What it begins with (prompt-blocks.ts); empty when nothing is known. */
  readonly prefix: readonly number[]
  /** Origins that the call was sent to already. */
  readonly tried: ReadonlySet<string>
}

export interface BalancerOptions extends PrefixAffinityOptions {
  readonly random: () => number
  readonly wantsPrefix: boolean
}

/**
 * Whoever has more calls than this many times the mean, and `overloadCalls` more, is overloaded: it keeps a prompt only if
 * reading it elsewhere takes longer than the wait.
 */
export const overloadFactor = 1.25
export const overloadCalls = 8
/**
 * What a token that a server has in its cache counts, beside one that it has to read, if it was sent there once. More than
 * 1: a conversation that goes elsewhere comes again, and takes the place of others' prefixes in a second cache. What was
 * sent there often is what many prompts share; a copy of that elsewhere will serve as well, so it tends to 1.
 */
export const cachedWorth = 8
/**
 * The favorite of a prefix that nobody holds counts as if it had this part of it, because another gateway, which has the
 * same favorite, may have sent it there.
 */
export const favoriteShare = 0.08

interface MemberChoice<M> extends Choice {
  readonly member: M
  readonly slowness: number
  /** Whether it has read anything of the prompt. */
  readonly isNear: boolean
}

/**
 * Which server a call goes to: the one where it has least to wait for, by what is to be done there, what it has to read of
 * the prompt, and how fast it is.
 *
 * 1. Somebody is chosen whenever there is a candidate; a server without room, or one that was tried, only when there is no
 *    other.
 * 2. Choosing changes nothing; what a server has read is noted by `chosen`.
 * 3. All of it that grows with calls is bounded by `prefixesMax`.
 */
export class Balancer<M extends Balanced> {
  readonly wantsPrefix: boolean
  readonly #random: () => number
  readonly #affinity: PrefixAffinity

  constructor(options: BalancerOptions) {
    this.wantsPrefix = options.wantsPrefix
    this.#random = options.random
    this.#affinity = new PrefixAffinity(options)
  }

  joined(member: M): void {
    this.#affinity.joined(member.origin)
  }

  left(member: M): void {
    this.#affinity.left(member.origin)
  }

  choose(candidates: readonly BalancerCandidate<M>[], call: BalancedCall): M | undefined {
    const choices = considered(
      candidates.map((candidate) => choiceOf(candidate, call)),
      this.#random,
    )
    if (!this.wantsPrefix || call.prefix.length === 0) return bestOfDrawn(choices, this.#random)?.member
    return this.#nearOrFree(choices, call)?.member
  }

  /** The call is sent to this server. Returns the prompt tokens that it probably has to read. */
  chosen(member: M, call: BalancedCall): number {
    if (!this.wantsPrefix) return call.inputTokens
    const cached = cachedTokens(call, this.#affinity.matched(member.origin, call.prefix))
    this.#affinity.sent(member.origin, call.prefix)
    return Math.max(1, call.inputTokens - cached)
  }

  #nearOrFree(choices: readonly MemberChoice<M>[], call: BalancedCall): MemberChoice<M> | undefined {
    const matched = choices.map(({ member }) => this.#affinity.matched(member.origin, call.prefix))
    const favorite = this.#favorite(choices, call.prefix[Math.max(...matched)])
    const overloadedFrom = overloadFactor * meanOf(choices.map(({ inFlight }) => inFlight)) + overloadCalls
    const valued = choices.map((choice, index): MemberChoice<M> => {
      const blocks = matched[index] ?? 0
      const cached = cachedTokens(call, blocks)
      const presumed = choice === favorite ? favoriteShare * (call.inputTokens - cached) : 0
      const spared =
        choice.inFlight > overloadedFrom
          ? cached
          : cached * this.#worth(choice.member, call.prefix[blocks - 1]) + presumed * cachedWorth
      return { ...choice, isNear: spared > 0, score: choice.score - choice.slowness * spared }
    })
    const free = bestOfDrawn(valued, this.#random)
    const near = valued.filter(({ isNear }) => isNear)
    return best(free === undefined ? near : [...near, free], this.#random)
  }

  /** What a cached token counts, if this is the last block that the server has of the prompt. */
  #worth(member: M, block: number | undefined): number {
    const times = block === undefined ? 1 : this.#affinity.timesSent(member.origin, block)
    return 1 + (cachedWorth - 1) / Math.max(1, times)
  }

  #favorite(choices: readonly MemberChoice<M>[], block: number | undefined): MemberChoice<M> | undefined {
    if (block === undefined) return undefined
    const weights = choices.map(({ member }) => this.#affinity.weight(member.origin, block))
    return choices[weights.indexOf(Math.max(...weights))]
  }
}

function choiceOf<M extends Balanced>(
  { member, share }: BalancerCandidate<M>,
  call: BalancedCall,
): MemberChoice<M> {
  const { slowness, backlog } = member.load
  return {
    ...{ member, share, slowness, isNear: false },
    score: slowness * (backlog + call.inputTokens),
    inFlight: member.held,
    isFull: member.room <= 0,
    isTried: call.tried.has(member.origin),
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** Where the beginning of a prompt is all that is known of its length, a token has at least so many bytes. */
const tokenBytes = 3

function cachedTokens({ inputTokens, prefix }: BalancedCall, matched: number): number {
  if (matched === 0) return 0
  return Math.min((inputTokens * bytesOf(matched)) / bytesOf(prefix.length), bytesOf(matched) / tokenBytes)
}
