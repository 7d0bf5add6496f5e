import type { Recognizer, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { isFilled, looksIssued } from './placeholder.ts'
import { base62, base64, base64url, closedKey, hex, run, vendorKey, vendorKeys, web64 } from './prefixed.ts'

/** Every form has numbers or base64 behind its first hyphen; `xoxb-your-token` and `xoxo-indieweb-1` have not. */
const numbered: Validator = (text, _start, end) =>
  (text.slice(end - 10, end).match(/\d/g)?.length ?? 0) >= 2 && !isFilled(text, end - 10, end)

const slackToken: Recognizer = {
  id: 'slack-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '(xox[abceoprs]|xoxe\\.xox[bp]|xapp)-[A-Za-z0-9\\-]{10}',
      left: { not: alphanumeric },
      lengthMax: 20,
      sure: { kind: 'run', members: 'A-Za-z0-9\\-' },
      validate: numbered,
    },
    // The cookie of a browser.
    {
      pattern: 'xoxd-[A-Za-z0-9%+/]{40}',
      left: { not: alphanumeric },
      lengthMax: 45,
      sure: { kind: 'run', members: 'A-Za-z0-9%+/=' },
      validate: (text, _start, end) => looksIssued(text, end - 40, end),
    },
  ],
  examples: {
    match: [
      `xoxb-123456789012-1234567890123-${'q7Wc2LrT9mVx4KpZ1nBd6HgF'}`,
      `xoxp-123456789012-1234567890123-1234567890123-${'7c1e0b9a4d5f68213b0c9e7d5a4f1082'}`,
      `xoxe.xoxp-1-${'Mi0yLTM0MTQwNDE0MDE3Ni0zNjU5NDY0Njg4MTctNTE4MjA3NTQ5NjA4'}`,
      `xoxe-1-${'My0xLTM0MTQwNDE0MDE3Ni0zNjU5NDY0Njg4MTctNTE4MjA3NTQ5NjA4'}`,
      `xapp-1-A0123ABCDEF-1234567890123-${'7c1e0b9a4d5f68213b0c9e7d5a4f1082'}`,
      `xoxa-2-${'511111111'}`,
      `xoxd-${'q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDz%2Fg'}`,
    ],
    miss: [
      'xoxb-your-token-here',
      'xoxo-indieweb-1',
      'xoxb-xxxxxxxxxxxx',
      'foxb-123456789012-1234567890123',
      'xapp-launcher-2',
    ],
  },
}

/** A number and a colon may begin anything; Telegram's secret behind them begins with `A`. */
const telegramBotToken: Recognizer = {
  id: 'telegram-bot-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `(bot)?[0-9]{6,16}:A[${base64url}]{34}`,
      left: { not: alphanumeric },
      right: { not: base64url },
      lengthMax: 55,
      validate: (text, _start, end) => looksIssued(text, end - 34, end),
    },
  ],
  examples: {
    match: [
      `7213808860:AAH1bjqpKKW3maRSPAxzIU-0v6xNuq2-Nj${'M'}`,
      `400028414:AxdgGtQCyBFKxjp8WsQ7A7tCADdvLLKk0S${'2'}`,
      `bot518838841:A5xEPnQqmfFp5R4JHa8DLROEvP6fNaG22Y${'b'}`,
    ],
    miss: [
      '7213808860:AAH1bjqpKKW3maRSPAxzIU-0v6xNuq2-N',
      '7213808860:AAH1bjqpKKW3maRSPAxzIU-0v6xNuq2-NjMx',
      '7213808860:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'foo:AAH1bjqpKKW3maRSPAxzIU-0v6xNuq2-NjM',
      '12:AAH1bjqpKKW3maRSPAxzIU-0v6xNuq2-NjM',
    ],
  },
}

/** The first part is a number in base64, hence its first letters; a name of a class and its members is not. */
const discordBotToken: Recognizer = {
  id: 'discord-bot-token',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `[MNO][${base64url}]{23,27}\\.[${base64url}]{6}\\.[${base64url}]{27}`,
      left: { not: alphanumeric },
      lengthMax: 63,
      sure: { kind: 'run', members: base64url },
      validate: (text, start, end) =>
        looksIssued(text, end - 27, end) && /\d/.test(text.slice(start, start + 24)),
    },
  ],
  examples: {
    match: [
      `MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKW${'s'}`,
      `NzkyNzE1NDU0MTk2MDg4ODQy.X-hvzA.Ovy4MCQywSkoMRRclStW4xAYK7${'I'}`,
      `MTA0NzE1NDU0MTk2MDg4ODQyNA.GSwJyi.sbaw8msOR3Wi6vPUzeIWy_P0vJbB0UuRVjH8l${'8'}`,
    ],
    miss: [
      'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKW',
      'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FM.ZnCjm1XVW7vRze4b7Cq4se7kKWs',
      'ManagedObjectContextFactory.create.newObjectForTheGivenIdentifier',
      'xMTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs',
    ],
  },
}

/** `SG.`, an identifier of 22 characters, a secret of 43; either may be shorter in older keys. */
const sendgridApiKey: Recognizer = {
  id: 'sendgrid-api-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: `SG\\.[${base64url}]{14,32}\\.[${base64url}]{14}`,
      left: { not: alphanumeric },
      lengthMax: 50,
      sure: { kind: 'run', members: `${base64url}=` },
      validate: (text, start, end) => !isFilled(text, start + 3, end),
    },
    {
      pattern: `SG\\.[${base64url}=.]{66}`,
      left: { not: alphanumeric },
      lengthMax: 69,
      sure: { kind: 'run', members: `${base64url}=`, joiners: '.' },
      validate: (text, start, end) => looksIssued(text, start + 3, end),
    },
  ],
  examples: {
    match: [
      `SG.${'ngeVfQFYQlKU0ufo8x5d1A'}.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr`,
      `SG.${'GjHD8LByteGNeadkXnYUeJ'}.qwmQpZ8zhsaHG6jJp0yHjpDvMkoBd1QzMhYTKkDtHxF`,
      `SG.${'aB3dE5fG7hI9jK1lM3'}.nO5pQ7rS9tU1vW3xY5zA`,
    ],
    miss: [
      'SG.ngeVfQFYQlKU0ufo8x5d1A',
      'SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'SG.short.key',
      'MSG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr',
    ],
  },
}

/** A key of 32 hexadecimal digits that says nothing before its end: `-us` and the data center. */
const mailchimpApiKey: Recognizer = {
  id: 'mailchimp-api-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '-us[0-9]{1,2}',
      head: { first: 'A-Za-z0-9', rest: 'A-Za-z0-9', lengthMax: 33 },
      right: { not: `${alphanumeric}_\\-` },
      lengthMax: 38,
      validate: (text, start, end) => /^[0-9a-f]{32}-us\d+$/.test(text.slice(start, end)),
    },
  ],
  examples: {
    match: [
      '343ea45721923ed956e2b38c31db76aa-us30',
      'a2937653ed38c31a43ea46e2b19257db-us2',
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082-us14',
    ],
    miss: [
      '343ea45721923ed956e2b38c31db76a-us30',
      '0343ea45721923ed956e2b38c31db76aa-us30',
      '343ea45721923ed956e2b38c31db76aa-eu30',
      'deploy-us1',
    ],
  },
}

/** Slack, Discord, Telegram, Twilio and the senders of mail. Webhooks are in `webhooks.ts`. */
export const chatAndMail: readonly Recognizer[] = [
  slackToken,
  telegramBotToken,
  discordBotToken,
  sendgridApiKey,
  mailchimpApiKey,
  closedKey('twilio-key', ['SK', 'AC'], hex(32)),
  vendorKeys('mailgun-api-key', [
    { prefixes: ['key-', 'pubkey-'], body: [run('a-z0-9', 32)], end: 'closed' },
    {
      prefixes: [''],
      body: [run('a-f0-9', 32), '-', run('a-f0-9', 8), '-', run('a-f0-9', 8)],
      end: 'closed',
    },
  ]),
  vendorKey('brevo-api-key', ['xkeysib-', 'xsmtpsib-'], hex(64), '-', base62(16)),
  vendorKey('mailersend-api-token', ['mlsn.'], hex(64)),
  closedKey('mandrill-api-key', ['md-'], web64(22)),
  vendorKey('resend-api-key', ['re_'], base62(8), '_', base62(24)),
  vendorKeys('intercom-access-token', [
    { prefixes: ['dG9rO'], body: [run(base64, 50, 54)], tail: `${base64}=` },
  ]),
  vendorKey('telnyx-api-key', ['KEY0'], run('A-F0-9', 30), '_', base62(22)),
  vendorKey('nylas-api-key', ['nyk_v0_'], base62(40, 64)),
]
