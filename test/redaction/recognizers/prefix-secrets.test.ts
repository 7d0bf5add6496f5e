import t from 'tap'
import { crc32Base62, crc32HexLittleEndian } from '../../../src/redaction/checksums/crc32.ts'
import { parsePattern, patternLength } from '../../../src/redaction/pattern.ts'
import { ruleLengthMax } from '../../../src/redaction/recognizer.ts'
import { isFilled, looksIssued } from '../../../src/redaction/recognizers/secret/placeholder.ts'
import { prefixSecrets } from '../../../src/redaction/recognizers/secret/prefix-secrets.ts'
import { createOracle } from '../oracle.ts'
import { benignTexts } from '../texts.ts'

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['It is ', ' today'],
  ['"', '"'],
  ['(', ').'],
  ['KEY=', ','],
  ['\n', '\n'],
  ['日本: ', '。'],
]
/** A value that needs its own words before it stands behind them directly. */
const inText = (
  example: string | { before: string; value: string },
  [before, after]: readonly [string, string],
) =>
  typeof example === 'string'
    ? { text: before + example + after, start: before.length, end: before.length + example.length }
    : {
        text: `${before} ${example.before}${example.value}${after}`,
        start: before.length + 1 + example.before.length,
        end: before.length + 1 + example.before.length + example.value.length,
      }

for (const recognizer of prefixSecrets) {
  const alone = createOracle([recognizer])
  t.test(`${recognizer.id}: examples are masked whole, near misses not at all`, async (t) => {
    t.ok(recognizer.examples.match.length >= 3)
    t.ok(recognizer.examples.miss.length >= 4)
    for (const example of recognizer.examples.match) {
      for (const surrounding of surroundings) {
        const { text, start, end } = inText(example, surrounding)
        const found = alone(text).findings.map((finding) => [finding.start, finding.end])
        t.strictSame(found, [[start, end]], text)
      }
    }
    for (const text of recognizer.examples.miss) t.strictSame(alone(text).findings, [], text)
  })
}

t.test('identifiers are unique, labels are few', async (t) => {
  t.equal(new Set(prefixSecrets.map(({ id }) => id)).size, prefixSecrets.length)
  t.strictSame([...new Set(prefixSecrets.map(({ entity }) => entity))].sort(), [
    'API_KEY',
    'AUTHORIZATION',
    'AWS_ACCESS_KEY',
    'GITHUB_TOKEN',
    'JSON_WEB_TOKEN',
    'OPENAI_API_KEY',
    'PRIVATE_KEY',
    'WEBHOOK_URL',
  ])
})

t.test('no rule can match more than it says', async (t) => {
  for (const { id, rules } of prefixSecrets) {
    for (const { pattern, lengthMax, head } of rules) {
      const longest = patternLength(parsePattern(pattern)).max + (head?.lengthMax ?? 0)
      t.ok(longest <= lengthMax && lengthMax <= ruleLengthMax, `${id}: ${longest} of ${lengthMax}`)
    }
  }
})

const everything = createOracle(prefixSecrets)

t.test('prose, code, logs and data pass untouched', async (t) => {
  for (const text of benignTexts) t.strictSame(everything(text.slice(0, 400)).findings, [], text.slice(0, 80))
})

t.test('names, addresses and data that begin like a key pass untouched', async (t) => {
  for (const text of [
    'task-0123456789abcdef0123456789abcdef of sk-loading-spinner-container-wide',
    'SKU 12345, pat.smith@example.com, sl.wikipedia.org, s.substringBeforeLastIndexOf',
    'commit 8a56e40bcc6d5b46ab51c0999ef131b5dd643ea2 in api-gateway-0.12.1',
    'sha256:00307435fb85a2762cad36af54046fb948ce832eb852b62100627ca42b0fbe32',
    'integrity="sha512-3K8sIRqYaUbnUNRYYqlSYsdJ5QNgwRL1Z15sy+46bhSlzt6izh7x6CWxf3ZLbxU5PhQf8tCu4UTLDo6gxyH3/P=="',
    'eyes.eyewitness.eyelashes, hf_transformers_model, npm_package_version, key-value-store',
    'https://hooks.slack.com/services/ and https://discord.com/api/webhooks',
    'live_streaming_of_the_test_results, re_compile_the_regular_expression, fc-list, r8_g8_b8_a8',
    'version v1.0-beta, price 1/4 of 0.5, t1.micro, 0.0.0.0:8080, b.subscribe, r.headers',
    'import OrganizationServiceProvider.create.someVeryLongMethodNameOfTheLibrary',
    'xoxo-indieweb-1, xoxb-your-token-here, sk_test_YOUR_KEY, hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'export ANTHROPIC_API_KEY=sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'export OPENAI_API_KEY="sk-proj-your-project-key-goes-here"',
  ])
    t.strictSame(everything(text).findings, [], text)
})

const letters =
  'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgq0Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDz'
const hex = '7c1e0b9a4d5f68213b0c9e7d5a4f1082'.repeat(5)
const uuid = '9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25'

/** As the vendors describe them, said again without the shapes. */
const documented: readonly (readonly [id: string, value: string])[] = [
  ['github-token', `github_pat_${letters.slice(0, 22)}_${letters.slice(0, 59)}`],
  ['gitlab-token', `glpat-${letters.slice(0, 20)}`],
  ['gitlab-token', `glpat-${letters.slice(0, 27)}.01.${'0w1x2y3z4'}`],
  ['gitlab-token', `glrt-t1_${letters.slice(0, 27)}.01.${'0w1x2y3z4'}`],
  ['gitlab-token', `glcbt-64_${letters.slice(0, 20)}`],
  ['openai-api-key', `sk-proj-${letters.slice(0, 74)}T3BlbkFJ${letters.slice(0, 74)}`],
  ['anthropic-api-key', `sk-ant-api03-${letters.slice(0, 93)}AA`],
  ['openrouter-api-key', `sk-or-v1-${hex.slice(0, 64)}`],
  ['groq-api-key', `gsk_${letters.slice(0, 20)}WGdyb3FY${letters.slice(0, 24)}`],
  ['google-api-key', `AIzaSy${letters.slice(0, 33)}`],
  ['stripe-secret-key', `sk_live_${letters.slice(0, 24)}`],
  ['stripe-secret-key', `rk_test_51${letters.slice(0, 97)}`],
  ['slack-token', `xoxb-123456789012-1234567890123-${letters.slice(0, 24)}`],
  ['slack-token', `xapp-1-A0123ABCDEF-1234567890123-${hex.slice(0, 64)}`],
  ['twilio-key', `SK${hex.slice(0, 32)}`],
  ['databricks-token', `dapi${hex.slice(0, 32)}-2`],
  ['digitalocean-token', `dop_v1_${hex.slice(0, 64)}`],
  ['doppler-token', `dp.st.dev_personal.${letters.slice(0, 43)}`],
  ['hashicorp-vault-token', `hvs.CAESI${letters.slice(0, 90)}`],
  ['terraform-cloud-token', `${letters.slice(0, 14)}.atlasv1.${letters.slice(0, 67)}`],
  ['tailscale-key', `tskey-auth-${letters.slice(0, 11)}CNTRL-${letters.slice(0, 32)}`],
  ['airtable-access-token', `pat${letters.slice(0, 14)}.${hex.slice(0, 64)}`],
  ['notion-token', `ntn_12345678901${letters.slice(0, 35)}`],
  ['postman-api-key', `PMAK-${hex.slice(0, 24)}-${hex.slice(0, 34)}`],
  ['hubspot-access-token', `pat-na1-${uuid}`],
  ['sentry-token', `sntryu_${hex.slice(0, 64)}`],
  ['dynatrace-api-token', `dt0c01.${'ABCD2345'.repeat(3)}.${'EFGH6723'.repeat(8)}`],
  ['launchdarkly-key', `sdk-${uuid}`],
  [
    'braintree-access-token',
    `access_token$production$${letters.slice(0, 16).toLowerCase()}$${hex.slice(0, 32)}`,
  ],
  ['bitwarden-access-token', `0.${uuid}.${letters.slice(0, 30)}:${letters.slice(0, 22)}==`],
  ['1password-key', 'A3-C4ZJMN-PQTZTL-HGL84-G64M7-KVZRN-4ZVP6'],
  ['heroku-api-key', `HRKU-${uuid}`],
  ['openshift-token', `sha256~${letters.slice(0, 43)}`],
]

t.test('keys as the vendors describe them are masked whole', async (t) => {
  for (const [id, value] of documented) {
    const text = `It is ${value}`
    const whole = [[6, text.length]]
    const places = ({ findings }: ReturnType<typeof everything>) =>
      findings.map(({ start, end }) => [start, end])
    t.strictSame(places(everything(text)), whole, text)
    t.strictSame(places(createOracle(prefixSecrets.filter((one) => one.id === id))(text)), whole, id)
  }
})

t.test('checksums of tokens', async (t) => {
  // The classic token that GitHub's announcement of the format shows.
  t.equal(crc32Base62('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ'), '0mLq17')
  // The check value of the polynomial is cbf43926.
  t.equal(crc32HexLittleEndian('123456789'), '2639f4cb')
})

t.test('a placeholder is not taken for a value', async (t) => {
  const whole = (text: string) => looksIssued(text, 0, text.length)
  for (const text of ['q7Wc2LrT9mVx', 'qWCLrTmVxKPz', '0123456789abcdef', 'IOSFODNN7EXAMPLE'])
    t.ok(whole(text), text)
  for (const text of [
    'xxxxxxxxxxxxxxxx',
    'XXXX-XXXX-XXXX-1',
    '0000000000000000',
    'yoursecretkeyhere',
    'ReadTheApiKeyFromTheFile',
    '12312312312312312312',
    '1234567890123456',
    'your-key-number-1',
    'put-it-here',
    'REDACTED1',
  ])
    t.notOk(whole(text), text)
  t.ok(isFilled('a*****', 0, 6))
  t.notOk(isFilled('CCCC', 0, 4))
})
