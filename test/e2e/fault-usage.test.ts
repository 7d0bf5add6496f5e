// What the model server reports of a call's tokens is believed within reason: nobody pays for a report that cannot be,
// and nobody gets tokens back by one. That the limit holds exactly what the record says is checked after each call.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { usageFaults } from '../support/fault-matrix.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { eventsOf } from '../support/scene.ts'

const scene = await FaultScene.open()
t.teardown(() => scene.close())

const content = ['one ', 'two ', 'three ', 'four']
const reported = (usage: Script['usage'] & object): Script => ({ content, usage })
const tokens = (prompt: unknown, output: unknown, total: unknown) => ({
  prompt_tokens: prompt,
  completion_tokens: output,
  total_tokens: total,
})

interface Case extends Cause {
  readonly output: readonly [least: number, most: number]
}
const stream = true
const fields = { max_tokens: 32, stream_options: { include_usage: true } }
const streamed = (script: Script, output: Case['output']): Case => ({ script, stream, fields, output })

const cases: Readonly<Record<keyof typeof usageFaults, Case>> = {
  'usage missing': streamed({ content, usage: null }, [4, 5]),
  'usage negative': streamed(reported(tokens(-7, -4, -11)), [4, 5]),
  'usage 1e30': streamed(reported(tokens(1e30, 1e30, 1e30)), [4, 5]),
  'usage as text': streamed(reported(tokens('7', '4', '11')), [4, 5]),
  'usage too small': streamed(reported(tokens(0, 1, 1)), [4, 5]),
  'usage above what was reserved': streamed(reported(tokens(7, 100_000, 100_007)), [32, 32]),
  'usage of a whole reply missing': { script: { content, usage: null }, output: [4, 5] },
  'usage of a whole reply 1e30': { script: reported(tokens(1e30, 1e30, 1e30)), output: [4, 5] },
}

for (const [name, { output, ...cause }] of Object.entries(cases) as [keyof typeof usageFaults, Case][]) {
  t.test(name, async (t) => {
    const { text, ending } = await scene.matches(name, cause)
    const { usage } = (cause.stream ? eventsOf(text).at(-1) : JSON.parse(text)) as {
      usage: { prompt_tokens: number; completion_tokens: number }
    }
    const { input_tokens: input, output_tokens: charged } = ending.record
    t.equal(usage.completion_tokens, charged, 'the caller is shown what it is charged')
    t.equal(usage.prompt_tokens, input)
    t.ok(Number(charged) >= output[0] && Number(charged) <= output[1], `${charged} output tokens`)
    t.ok(Number.isSafeInteger(input) && Number(input) > 0 && Number(input) < 100, `${input} input tokens`)
  })
}
