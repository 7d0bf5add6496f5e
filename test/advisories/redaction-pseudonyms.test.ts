// How pseudonyms are turned back wrongly elsewhere, by issue and by source: each is a test here. The pitfalls one by
// one are in test/e2e/redaction-pseudonyms.test.ts.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { eventsOf, Scene } from '../support/scene.ts'

let answer: (body: string) => Script = () => ({ content: ['ok'] })
const scene = await Scene.open({
  files: { 'config/pseudonym.key': randomBytes(32).toString('base64') },
  model: { script: ({ body }) => answer(body) },
  policies: {},
  redaction: {
    pseudonyms: { keyFile: 'pseudonym.key' },
    profiles: {
      mask: { prompt: { entities: { EMAIL_ADDRESS: 'pseudonymize' } }, reply: { default: 'mask' } },
    },
  },
})
t.teardown(() => scene.stack.stop())

const ada = 'ada@lovelace.example'
const bob = 'bob@builder.example'
const tokensIn = (body: string): string[] => body.match(/PII_[A-Z0-9]+_[0-9A-Z]{9}/g) ?? []
const seen = (): string => scene.stack.model.requests.at(-1)?.body ?? ''

async function told(
  content: string,
  says: (tokens: readonly string[]) => readonly string[],
): Promise<string> {
  answer = (body) => ({ content: says(tokensIn(body)) })
  const text = await (await scene.stream({ messages: [{ role: 'user', content }] })).text()
  return eventsOf(text)
    .map((event) => (event['choices'] as { delta: { content?: string } }[])[0]?.delta.content ?? '')
    .join('')
}

t.test(
  'tokens that differ in one character are taken for each other (LLM Guard: Levenshtein 3)',
  async (t) => {
    const near = ([one = '']: readonly string[]): string[] => {
      const at = one.length - 4
      const other = one[at] === '7' ? '8' : '7'
      return [`${one.slice(0, at)}${other}${one.slice(at + 1)}`]
    }
    t.notMatch(await told(ada, near), 'lovelace')
  },
)

t.test(
  'a token is a pattern, and a value a template (LLM Guard: re.sub with what is not escaped)',
  async (t) => {
    const odd = 'a.+g@lovelace.example'
    const echo = await told(`${ada} ${odd}`, (tokens) => [tokens.join(' ')])
    t.equal(echo, `${ada} ${odd}`)
    t.equal(await told(ada, () => ['P I E A L _']), 'P I E A L _', 'letters of a token are no token')
  },
)

t.test('a text that ends with half of a token is given the value (LiteLLM, truncated tokens)', async (t) => {
  for (const length of [6, 10, 14, 18])
    t.notMatch(await told(ada, ([one = '']) => [`see ${one.slice(0, length)}`]), 'lovelace')
})

t.test('one map for the calls of everybody (LiteLLM 19950)', async (t) => {
  await told(ada, (tokens) => tokens)
  const [token = ''] = tokensIn(seen())
  t.match(token, /^PII_/)
  t.notMatch(await told('and whose is this?', () => [token]), 'lovelace', 'a later call of the same caller')
  t.notMatch(await told(`and whose is ${token}?`, () => [token]), 'lovelace', 'nor does writing it help')
})

t.test(
  'numbers begin anew in every part of a call (stella 1040), one mask for all values (Upsonic 519)',
  async (t) => {
    answer = (body) => ({ content: [tokensIn(body).join(' ')] })
    const messages = [ada, bob].map((content) => ({ role: 'user', content }))
    const reply = await (await scene.chat({ messages })).json()
    t.equal(new Set(tokensIn(seen())).size, 2)
    t.match(JSON.stringify(reply), `${ada} ${bob}`)
  },
)

t.test('a token that is cut over two events (LiteLLM _unmask_sse_bytes_chunk)', async (t) => {
  for (const at of [1, 3, 4, 9, 17])
    t.equal(
      await told(ada, ([one = '']) => ['to ', one.slice(0, at), one.slice(at), ' now']),
      `to ${ada} now`,
    )
})

t.test(
  'what was turned back goes into the first event of some (WSO2), after what came before it',
  async (t) => {
    t.equal(await told(ada, ([one = '']) => ['first ', one, ' last']), `first ${ada} last`)
  },
)

t.test('what the model left out or made up is filled in all the same (hybridclaw 445)', async (t) => {
  t.equal(await told(ada, () => ['nothing']), 'nothing')
  const made = await told(ada, () => ['PII_EMAIL_7Q2K9X4DM and PII_EMAIL_1'])
  t.notMatch(made, 'lovelace')
})
