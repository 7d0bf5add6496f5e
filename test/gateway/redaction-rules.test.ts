import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { redactionRules } from '../../src/gateway/redaction-rules.ts'
import type { ProfileRules } from '../../src/policy/profile.ts'

const own = { ignoreCase: false, boundary: 'word', examples: { match: [], miss: [] } } as const
const key = createSecretKey(Buffer.alloc(32, 1))
const profiles: Record<string, ProfileRules> = {
  standard: {},
  open: { prompt: { default: 'allow' }, reply: { default: 'allow' } },
  strict: { preset: 'strict' },
  pseudonymous: {
    prompt: { categories: { contact: 'pseudonymize' } },
    denied: [{ label: 'PROJECT', action: 'mask', values: ['falcon'] }],
  },
  mild: {
    preset: 'pci',
    prompt: { entities: { BADGE: 'shadow' } },
    allowed: ['4111 1111 1111 1111'],
    injection: 'off',
  },
}
const recognizers = {
  badge: { ...own, entity: 'BADGE', category: 'identity', tier: 1, patterns: ['EMP-[0-9]{6}'] },
} as const
const { rulesFor } = redactionRules({ profiles, recognizers }, key)
const screened = (profile: string, text: string): string => {
  const rules = rulesFor(profile)
  return rules.prompt.screen(text, rules.replacementFor('acme').prompt).text
}

const text = 'bob@example.com, EMP-123456, falcon, 4111 1111 1111 1111, PII_EMAIL_7Q2K9X4DM'

t.test('each profile with its own rules over one set of recognizers', (t) => {
  t.equal(screened('standard', text), '[EMAIL_ADDRESS], [BADGE], falcon, [CREDIT_CARD], PII_EMAIL_7Q2K9X4DM')
  t.equal(screened('open', text.replace('EMP', 'emp')), text.replace('EMP', 'emp'))
  t.match(
    screened('pseudonymous', text),
    /^PII_EMAIL_\w{9}, \[BADGE\], \[PROJECT\], \[CREDIT_CARD\], PII_PSEUDONYM_\w{9}$/,
  )
  t.equal(screened('mild', text), text)
  t.match(
    screened('mild+pseudonymous', text),
    /^PII_EMAIL_\w{9}, \[BADGE\], \[PROJECT\], \[CREDIT_CARD\], PII_PSEU/,
  )
  t.equal(rulesFor('open').reply.inert, true, 'what looks for nothing costs nothing')
  t.equal(rulesFor('open').injection, 'signal')
  t.equal(rulesFor('mild').injection, 'off')
  t.end()
})

t.test('made once, and only for names that there are', (t) => {
  t.equal(rulesFor('standard'), rulesFor('standard'))
  t.throws(() => rulesFor('none'), /no redaction profile/)
  t.end()
})

t.test('a digest, a name and a price are left alone by the profile for everybody', (t) => {
  const plain =
    'Natalia sold 48 / 2 = 24 clips in May. sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 costs $1,234.50'
  t.equal(screened('standard', plain), plain)
  t.match(screened('strict', 'My name is Natalia Petrova.'), /\[PERSON\]/)
  t.end()
})

t.test(
  'what a recognizer service names: by category or by name, and what is unknown by the strictest',
  (t) => {
    const entities = ['LOCATION', 'EMAIL_ADDRESS', 'PERSON']
    const asking = redactionRules(
      {
        profiles: {
          ...profiles,
          pii: { preset: 'pii' },
          named: {
            prompt: { categories: { contact: 'allow' }, entities: { PERSON: 'block', LOCATION: 'partial' } },
          },
          unsure: { preset: 'pii', tierMax: 1 },
        },
        recognizers,
        recognizerService: { entities },
      },
      key,
    )
    const actions = (profile: string) =>
      [...entities, 'OTHER'].map((entity) => asking.rulesFor(profile).recognizedAction?.(entity))
    t.same(actions('pii'), ['mask', 'mask', 'mask', 'mask'])
    t.same(actions('standard'), ['allow', 'mask', 'allow', 'mask'], 'a name is none of its categories')
    t.same(actions('named'), ['partial', 'allow', 'block', 'block'])
    t.same(actions('named+pii'), ['mask', 'mask', 'block', 'block'])
    for (const profile of ['open', 'unsure']) t.equal(asking.rulesFor(profile).recognizedAction, undefined)
    t.equal(rulesFor('strict').recognizedAction, undefined, 'where there is no service')
    t.end()
  },
)
