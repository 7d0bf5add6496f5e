// Calls in lockstep: the model server says the next event only when the client has read the one before. So each event is one
// read and one write of the gateway, however busy the machine is: what a call takes can be counted.
import { request } from 'undici'
import type { Target } from '../../driver/timed-client.ts'
import { type ModelServer, startModelServer } from '../../model-server.ts'

const WAIT_MS_MAX = 20_000
const EVENT_END = '\n\n'

export interface LockstepModel {
  readonly url: string
  /** One streamed call of so many tokens. Throws an Error when an event does not come by itself. */
  stream(target: Target, tokens: number): Promise<void>
  /** One call with a whole answer. */
  whole(target: Target, prompt: string): Promise<void>
  close(): Promise<void>
}

/** What a stream waits for: that the client has read so many events. */
class Steps {
  #read = 0
  #wanted = 0
  #go: (() => void) | undefined

  /** Before event number `index` (from 0) is said. */
  async before(index: number): Promise<void> {
    if (this.#read >= index) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#wanted = index
    this.#go = resolve
    const late = setTimeout(
      () => reject(new Error(`event ${index} did not reach the client: held, or joined with the next one`)),
      WAIT_MS_MAX,
    )
    await promise.finally(() => clearTimeout(late))
  }

  arrived(events: number): void {
    this.#read += events
    if (this.#read >= this.#wanted) this.#go?.()
  }
}

const words = ['the ', 'quick ', 'brown ', 'fox ', 'jumps ', 'over ']

export async function startLockstepModel(): Promise<LockstepModel> {
  let steps: Steps | undefined
  let tokens = 16
  let fault: unknown
  const model: ModelServer = await startModelServer({
    model: 'demo',
    maxModelLen: 1_000_000,
    requestsKeptMax: 1,
    script: () => ({
      content: Array.from({ length: tokens }, (_, n) => words[n % words.length] as string),
      gate: async (index) => {
        await steps?.before(index).catch((error: unknown) => {
          fault = error
          throw error
        })
      },
    }),
  })
  return {
    url: model.url,
    stream: async (target, count) => {
      steps = new Steps()
      tokens = count
      try {
        const events = await readStream(target, count, steps)
        // The role, the tokens and [DONE].
        if (events !== count + 2) throw fault ?? new Error(`${events} events arrived, not ${count + 2}`)
      } finally {
        steps = undefined
        tokens = 16
      }
    },
    whole: async (target, prompt) => {
      const { statusCode, body } = await post(target, prompt, {})
      const text = await body.text()
      if (statusCode !== 200) throw new Error(`${target.name} answered ${statusCode}: ${text.slice(0, 200)}`)
    },
    close: () => model.close(),
  }
}

async function readStream(target: Target, tokens: number, steps: Steps): Promise<number> {
  const { statusCode, body } = await post(target, 'tell me', { stream: true, max_tokens: tokens })
  let events = 0
  let last = ''
  for await (const chunk of body as AsyncIterable<Buffer>) {
    last = chunk.toString('latin1')
    const arrived = last.split(EVENT_END).length - 1
    events += arrived
    steps.arrived(arrived)
  }
  if (statusCode !== 200) throw new Error(`${target.name} answered ${statusCode}: ${last.slice(0, 200)}`)
  return events
}

const post = ({ url, agent, headers }: Target, content: string, fields: object) =>
  request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'demo',
      max_tokens: 16,
      messages: [{ role: 'user', content }],
      ...fields,
    }),
  })
