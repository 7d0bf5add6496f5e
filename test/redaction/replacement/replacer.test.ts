import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Action } from '../../../src/redaction/finding.ts'
import { normalForm } from '../../../src/redaction/replacement/normal-form.ts'
import { Replacement } from '../../../src/redaction/replacement/replacement.ts'
import { TenantKey } from '../../../src/redaction/replacement/tenant-key.ts'
import { Vault, vaultEntriesMax } from '../../../src/redaction/replacement/vault.ts'
import { InertWindow } from '../../../src/redaction/stream-window.ts'

const master = createSecretKey(Buffer.alloc(32, 7))
const traits = { compact: new Set(['CREDIT_CARD']), irreversible: new Set(['AWS_ACCESS_KEY']) }
const open = (tenant = 'acme', key = master) => new Replacement(key, tenant, traits)
const put = (action: Action, value: string | undefined, entity = 'EMAIL_ADDRESS', replacement = open()) =>
  replacement.prompt.replace({ entity, action }, value)
const back = (replacement: Replacement, text: string): string => {
  const window = replacement.restoring(new InertWindow(), 'text')
  return window.push(text) + window.flush()
}

t.test('each action has its form', (t) => {
  t.equal(put('mask', 'a@b.example'), '[EMAIL_ADDRESS]')
  t.equal(put('partial', '4111-1111-1111-1234', 'CREDIT_CARD'), '[CREDIT_CARD ...1234]')
  t.equal(put('partial', '1234567', 'PIN'), '[PIN]', 'too short to show a half')
  t.equal(
    put('partial', 'geheim-\u{1d7d8}\u00e9\u00fc"\\', 'PIN'),
    '[PIN ...m\u{1d7d8}\u00e9\u00fc]',
    'no half characters',
  )
  t.match(put('hash', 'a@b.example'), /^\[EMAIL_ADDRESS#[0-9a-f]{8}\]$/)
  t.match(put('pseudonymize', 'a@b.example'), /^PII_EMAIL_[0-9A-Z]{9}$/)
  for (const action of ['mask', 'partial', 'hash', 'pseudonymize'] as const)
    t.equal(put(action, undefined, 'PRIVATE_KEY'), '[PRIVATE_KEY]', `${action} of what is swallowed`)
  t.end()
})

t.test('nothing that stands for a value holds what JSON escapes', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom<Action>('mask', 'partial', 'hash', 'pseudonymize'),
      (value, action) => {
        const text = put(action, value)
        return JSON.stringify(text) === `"${text}"`
      },
    ),
  )
  t.pass()
  t.end()
})

t.test('without a key, and for secrets, a placeholder stands instead (13)', (t) => {
  const keyless = new Replacement(undefined, 'acme', traits)
  t.equal(put('pseudonymize', 'a@b.example', 'EMAIL_ADDRESS', keyless), '[EMAIL_ADDRESS]')
  t.equal(put('hash', 'a@b.example', 'EMAIL_ADDRESS', keyless), '[EMAIL_ADDRESS]')
  t.equal(keyless.size, 0)
  const replacement = open()
  t.equal(put('pseudonymize', 'AKIA', 'AWS_ACCESS_KEY', replacement), '[AWS_ACCESS_KEY]')
  t.equal(replacement.size, 0)
  t.end()
})

t.test(
  'the same for the same value of a tenant, in every exchange (3, 11); not for another tenant (12)',
  (t) => {
    for (const action of ['pseudonymize', 'hash'] as const) {
      const one = put(action, 'a@b.example')
      t.equal(put(action, 'a@b.example', 'EMAIL_ADDRESS', open()), one)
      t.not(put(action, 'a@b.example', 'EMAIL_ADDRESS', open('globex')), one)
      t.not(put(action, 'c@b.example'), one)
      t.not(put(action, 'a@b.example', 'USER_NAME'), one)
      t.not(
        put(action, 'a@b.example', 'EMAIL_ADDRESS', open('acme', createSecretKey(Buffer.alloc(32, 8)))),
        one,
      )
    }
    const key = new TenantKey(master, 'acme')
    t.not(key.digest('hash', 'E', 'v').toString('hex'), key.digest('pseudonym', 'E', 'v').toString('hex'))
    t.not(key.digest('hash', 'E', 'v').toString('hex'), key.digest('hash', 'Ev', '').toString('hex'))
    t.end()
  },
)

t.test('another spelling is the same value, and the first one comes back (8)', (t) => {
  const replacement = open()
  const first = put('pseudonymize', '4111 1111 1111 1111', 'CREDIT_CARD', replacement)
  t.equal(put('pseudonymize', '4111-1111-1111-1111', 'CREDIT_CARD', replacement), first)
  t.equal(back(replacement, `(${first})`), '(4111 1111 1111 1111)')
  t.equal(normalForm('Jane@EXAMPLE.com', 'plain'), normalForm('jane@example.com', 'plain'))
  t.equal(normalForm('jo\u200bhn  x', 'plain'), 'john x')
  t.not(normalForm('1.23.4.5', 'plain'), normalForm('12.3.4.5', 'plain'))
  t.end()
})

t.test('two values never come back as one another (2)', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.emailAddress(), {
        minLength: 2,
        maxLength: 20,
        selector: (value) => value.toLowerCase(),
      }),
      (values) => {
        const replacement = open()
        const tokens = values.map((value) => put('pseudonymize', value, 'EMAIL_ADDRESS', replacement))
        return back(replacement, tokens.join(' ')) === values.join(' ')
      },
    ),
    { numRuns: 50 },
  )
  const vault = new Vault({ digest: () => Buffer.alloc(32) } as unknown as TenantKey)
  t.type(vault.remember('E', 'a', 'A'), 'string')
  t.equal(vault.remember('E', 'b', 'B'), undefined, 'a token that is taken is given to nobody else')
  t.end()
})

t.test('only this exchange\u2019s values come back (5)', (t) => {
  const mine = open()
  const other = open()
  const token = put('pseudonymize', 'a@b.example', 'EMAIL_ADDRESS', other)
  put('pseudonymize', 'c@d.example', 'EMAIL_ADDRESS', mine)
  t.equal(back(mine, token), token)
  t.match(mine.restoreCount, { restored: 0, unknown: 1 })
  t.equal(back(other, token), 'a@b.example')
  t.match(other.restoreCount, { restored: 1, unknown: 0 })
  t.end()
})

t.test('a reply makes the tokens of the prompt, and none that comes back', (t) => {
  const replacement = open()
  const token = replacement.reply.replace({ entity: 'EMAIL_ADDRESS', action: 'pseudonymize' }, 'a@b.example')
  t.equal(replacement.size, 0)
  t.equal(put('pseudonymize', 'A@b.example', 'EMAIL_ADDRESS', replacement), token)
  t.end()
})

t.test('a full vault masks', (t) => {
  const replacement = open()
  for (let at = 0; at < vaultEntriesMax; at++)
    put('pseudonymize', `u${at}@b.example`, 'EMAIL_ADDRESS', replacement)
  t.equal(replacement.size, vaultEntriesMax)
  t.equal(put('pseudonymize', 'one@more.example', 'EMAIL_ADDRESS', replacement), '[EMAIL_ADDRESS]')
  t.match(put('pseudonymize', 'u7@b.example', 'EMAIL_ADDRESS', replacement), /^PII_/)
  t.end()
})
