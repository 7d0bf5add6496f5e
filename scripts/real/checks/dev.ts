import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { Agent, fetch as undiciFetch } from 'undici'
import { question } from '../bench.ts'
import { freePort, start, untilReady } from '../command.ts'
import type { ModelServer } from '../model-server.ts'
import type { Section } from '../report.ts'

const main = join(import.meta.dirname, '../../../src/main.ts')

/** `SALLYPORT_UPSTREAM=... npm start`: the newcomer's command in front of a real server without a key. */
export async function devChecks(section: Section, server: ModelServer, directory: string): Promise<void> {
  await section.check('sallyport dev finds the server and streams through it', async () => {
    const [port, probesPort] = [await freePort(), await freePort()]
    const folder = join(directory, 'dev')
    const ports = ['--port', String(port), '--probes-port', String(probesPort)]
    const dev = start(process.execPath, [main, 'dev', '--directory', folder, ...ports], {
      env: { SALLYPORT_UPSTREAM: server.origin },
      logFile: join(directory, 'dev.log'),
    })
    const ready = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${probesPort}/readyz`)).ok
    await untilReady(dev, ready, { what: 'sallyport dev', timeoutMs: 60_000 })
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
    const agent = new Agent({
      connect: { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') },
    })
    const openai = new OpenAI({
      apiKey: read('token'),
      maxRetries: 0,
      baseURL: `https://localhost:${port}/v1`,
      fetch: undiciFetch as unknown as typeof globalThis.fetch,
      fetchOptions: { dispatcher: agent } as never,
    })
    let text = ''
    const call = { model: server.model, messages: question('Hi'), max_tokens: 16, stream: true } as const
    for await (const chunk of await openai.chat.completions.create(call))
      text += chunk.choices[0]?.delta.content ?? ''
    await agent.destroy()
    const status = await dev.stop('SIGINT')
    assert.ok(text.length > 0, 'no text')
    assert.equal(status, 0, 'Ctrl-C ends it with 0')
    return JSON.stringify(text.slice(0, 40))
  })
}
