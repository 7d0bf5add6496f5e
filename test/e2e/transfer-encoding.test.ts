// Mutated Transfer-Encoding lines beside a length: a parser that takes the line for chunks sees a second request in the
// body, one that does not sees none. Templates and bytes as in defparam/smuggler (configs/doubles.py: 6 templates and
// 161 bytes); of the 966 the bytes that some parser takes for a space or a line end, and a part of the others.
import t from 'tap'
import { goodCall } from '../support/hostile.ts'
import { rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const templates: readonly ((byte: string) => string)[] = [
  (x) => `${x}Transfer-Encoding${x}: chunked`,
  (x) => `${x}Transfer-Encoding:${x}chunked`,
  (x) => `${x}Transfer-Encoding: chunked${x}`,
  (x) => `Transfer-Encoding${x}:${x}chunked`,
  (x) => `Transfer-Encoding${x}: chunked${x}`,
  (x) => `Transfer-Encoding:${x}chunked${x}`,
]
const telling = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x20, 0x7f, 0x85, 0xa0, 0xff]
const mutations = [...range(0x01, 0x20), ...range(0x7f, 0xff)].flatMap((byte, place) =>
  telling.includes(byte) || place % 11 === 0
    ? templates.map((template) => template(String.fromCharCode(byte)))
    : [],
)

/** To a parser that reads chunks the body ends at once and a request for the models follows. */
const smuggled = requestText({ token: stack.token(), method: 'GET', target: '/v1/models' })
const body = `0\r\n\r\n${smuggled}`
const token = stack.token()

t.test('one answer, 400, and nothing of what was hidden runs', async (t) => {
  t.ok(mutations.length >= 120, `${mutations.length} mutations`)
  const wrong: string[] = []
  const tryOne = async (line: string): Promise<void> => {
    const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`, line]
    const { replies, rest } = await rawReplies(stack, requestText({ token, headers, body, framed: false }))
    const statuses = replies.map(({ status }) => status).join()
    if (statuses !== '400' || rest !== '') wrong.push(`${JSON.stringify(line)}: ${statuses} ${rest}`)
  }
  const queue = mutations.values()
  const worker = async (): Promise<void> => {
    for (const line of queue) await tryOne(line)
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  t.same(wrong, [])
  t.equal(stack.model.stats.requests, 0, 'the model server saw nothing')
  t.notOk(
    stack.audit().some(({ endpoint, outcome }) => endpoint === 'models' || outcome === 'completed'),
    'the hidden request was never a request',
  )
})

t.test('a good call afterwards', async (t) => {
  const { replies } = await rawReplies(stack, goodCall(stack), { count: 1 })
  t.equal(replies[0]?.status, 200)
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, place) => from + place)
}
