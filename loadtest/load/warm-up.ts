// The first calls of a process are compiled while they run, and take many times as long as those after them: they are made
// before k6 measures. Their tenant is nobody whom a scenario counts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentOf, bodyOf, post } from '../deploy/flow.ts'
import type { Stage } from './stage.ts'

const CALLS = 60

export async function warmUp({ secrets, places, issuer }: Stage): Promise<void> {
  const read = (file: string): Buffer => readFileSync(join(secrets, file))
  const agent = agentOf({ ca: [read('ca.crt')], cert: read('client.crt'), key: read('client.key') })
  const token = issuer.tokenFor('warm-up', 'app')
  const body = bodyOf({ content: ['one ', 'two ', 'three '] }, { stream: true })
  try {
    for (const { port } of places) {
      const caller = { url: `https://localhost:${port}`, agent, token }
      for (let call = 0; call < CALLS; call += 1) {
        const answer = await post(caller, body)
        const text = await answer.body.text()
        if (answer.statusCode !== 200)
          throw new Error(`the gateway answers ${answer.statusCode}: ${text.slice(0, 300)}`)
      }
    }
  } finally {
    await agent.destroy()
  }
}
