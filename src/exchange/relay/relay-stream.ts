import type { JsonObject } from '../../openai/call.ts'
import type { Reply } from '../../openai/reply.ts'
import { encodeComment } from '../../openai/sse.ts'
import { Refusal } from '../../refusal.ts'
import { streamHead } from '../reply-head.ts'
import { decodeEvents } from './decode-events.ts'
import { type Encode, encodeEnd, encodeEvents, encodeReply, encoderFor } from './encode-events.ts'
import { EventWriter } from './event-writer.ts'
import type { RelayJob } from './job.ts'
import { checkTools, ReplyScreen } from './screen-reply.ts'

/**
 * A streamed reply, event by event: decode, meter, screen, encode, write.
 *
 * 1. `[DONE]` is sent only when every choice that said something has given its reason to end, and the model server
 *    has said `[DONE]` itself or all choices that were asked for have ended. Every other end of its body is
 *    `upstream_truncated`, which the caller sees as an error event: llama-cpp-python ends an interrupted stream with
 *    a clean `[DONE]`, and the SDKs would take half an answer for a whole one. A choice that only calls a tool needs
 *    no reason (TGI gives none): arguments that were cut off do not parse.
 * 2. Each read of the upstream is written before the next one: backpressure reaches the model server's socket.
 * 3. A fault ends the stream after the events before it were written, however the bytes were cut into reads.
 * 4. The meter sees an event before its text is redacted; the trail gets the meter's reading on every ending.
 * 5. Output beyond what the limits set aside is not relayed: the stream ends there as one that reached its bound does
 *    (`finish_reason: length`, usage, `[DONE]`), and the model server is told to stop.
 */
export async function relayStream(job: RelayJob): Promise<void> {
  const pass = new Passage(job)
  using writer = new EventWriter(job.client, {
    head: () => streamHead(job.trail, job.gateway),
    trail: job.trail,
    keepAliveCommentMs: job.gateway.stream.keepAliveCommentMs,
    comment: encodeComment('keep-alive'),
    signal: job.signal,
  })
  try {
    for await (const batch of decodeEvents(job.answer.body, job.dialect, job.model, job.gateway.stream)) {
      const text = pass.through(batch.replies)
      if (text !== '') await writer.write(text)
      if (pass.fault !== undefined) throw pass.fault
      if (batch.done) pass.done = true
      if (pass.isCut) break
    }
    if (pass.done) job.answer.finish()
    await writer.end(pass.end())
  } catch (error) {
    // A cut that comes while the upstream is being read surfaces as the read's own failure: the cut is the reason.
    throw job.signal.aborted ? job.signal.reason : error
  } finally {
    job.trail.relayed = pass.relayed
  }
}

/** What one stream carries from event to event. */
class Passage {
  done = false
  /** The model server went on beyond what was set aside: nothing more passes. */
  isCut = false
  /** Why nothing more may pass; what `through` returned before it still may. */
  fault: unknown
  readonly #job: RelayJob
  readonly #screen: ReplyScreen
  readonly #encode: Encode
  /** Choices that said something. */
  readonly #begun = new Set<number>()
  readonly #calling = new Set<number>()
  readonly #finished = new Set<number>()
  #scanMs = 0
  #last: Reply | undefined

  constructor(job: RelayJob) {
    this.#job = job
    this.#encode = encoderFor(job.call, job.gateway.stream.obfuscation)
    this.#screen = new ReplyScreen(job, job.dialect, job.call.choices * job.call.prompts)
  }

  through(replies: readonly Reply[]): string {
    let text = ''
    try {
      for (const reply of replies) {
        this.isCut ||= this.#job.meter.outruns(reply)
        if (this.isCut) break
        text += this.#pass(reply)
      }
    } catch (fault) {
      this.fault = fault
    }
    return text
  }

  #pass(reply: Reply): string {
    this.#job.meter.event(reply)
    this.#note(reply)
    for (const choice of reply.finished) this.#finished.add(choice)
    if (reply.usageOnly) return ''
    checkTools(reply, this.#job.call)
    this.#last = reply
    // Running usage (`continuous_usage_stats`) is for the meter; the caller gets one closing event if it asked.
    delete reply.body.usage
    return encodeReply(reply, this.#screened(reply), this.#encode)
  }

  #note(reply: Reply): void {
    for (const { choice, channel, text } of reply.texts) {
      if (channel.startsWith('tool_calls')) this.#calling.add(choice)
      else if (text !== '') this.#begun.add(choice)
    }
  }

  get #isComplete(): boolean {
    const { call } = this.#job
    if (![...this.#begun].every((choice) => this.#finished.has(choice))) return false
    if (!this.done) return this.#finished.size >= call.choices * call.prompts
    return this.#begun.size > 0 || this.#finished.size > 0 || this.#calling.size > 0
  }

  #screened(reply: Reply): JsonObject[] {
    const { clock } = this.#job.gateway
    const startedAt = clock.monotonic()
    const events = this.#screen.pass(reply)
    this.#scanMs += clock.monotonic() - startedAt
    if (events.length > 0 && this.#job.meter.events > 0) this.#job.trail.firstToken()
    return events
  }

  /** What is still to be sent once the upstream's body has ended. */
  end(): string {
    const { call, meter } = this.#job
    if (this.isCut) return this.#cut()
    if (!this.#isComplete) throw new Refusal('upstream_truncated', 'a choice gave no reason to end')
    return (
      encodeEvents(this.#screen.flush(), this.#encode) +
      encodeEnd(call, this.#last?.body, meter.usage, this.#encode)
    )
  }

  /** What the windows hold is dropped: half of a value may be in there, and nobody will say the rest. */
  #cut(): string {
    const { call, meter, dialect } = this.#job
    const open = [...new Set([...this.#begun, ...this.#calling])].filter(
      (choice) => !this.#finished.has(choice),
    )
    const ending = this.#last ? [dialect.cutting(this.#last, open)] : []
    return encodeEvents(ending, this.#encode) + encodeEnd(call, this.#last?.body, meter.usage, this.#encode)
  }

  get relayed() {
    const { meter, replacement } = this.#job
    return {
      usage: meter.usage,
      usageReported: meter.reported,
      events: meter.events,
      found: this.#screen.found,
      pseudonyms: { ...replacement.restoreCount },
      gaps: meter.gaps,
      outputCut: this.isCut,
      heldCharsMax: this.#screen.heldCharsMax,
      scanMs: this.#scanMs,
    }
  }
}
