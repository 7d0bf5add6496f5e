import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { isFilled, looksIssued } from './placeholder.ts'

/** Whoever knows these addresses may post: the path is the password. The host goes with it, the scheme stays. */
function webhook(pattern: string, lengthMax: number, members: string, validate: Validator): Rule {
  return {
    pattern,
    left: { not: alphanumeric },
    lengthMax,
    sure: { kind: 'run', members },
    validate,
  }
}

const last =
  (units: number): Validator =>
  (text, _start, end) =>
    looksIssued(text, end - units, end)

const path = 'A-Za-z0-9_/\\-'
const uuid = '[A-Za-z0-9]{8}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{12}'

const about = { entity: 'WEBHOOK_URL', category: 'secret', tier: 1, family: 'prefix' } as const

const slackWebhook: Recognizer = {
  id: 'slack-webhook',
  ...about,
  rules: [
    // Path and pattern of the documents (`T00000000/B00000000/XXXX`) are masked too: the form is telling enough.
    webhook(
      'hooks\\.slack(-gov)?\\.com/services/T[A-Za-z0-9_]{5,16}/B[A-Za-z0-9_]{5,16}/[A-Za-z0-9]{8}',
      78,
      path,
      () => true,
    ),
    webhook('hooks\\.slack(-gov)?\\.com/(workflows|triggers)/[A-Za-z0-9/_+]{24}', 60, path, last(24)),
    webhook('hooks\\.slack(-gov)?\\.com/services/[A-Za-z0-9+/]{40}', 69, path, last(24)),
  ],
  examples: {
    match: [
      `hooks.slack.com/services/T0DCUJB1Q/B0DD08H5G/bJtrpFi1fO1JMCcwLx8uZyA${'g'}`,
      `hooks.slack.com/workflows/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${'9'}`,
      `hooks.slack.com/triggers/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${'c'}`,
    ],
    miss: [
      'hooks.slack.com/services/',
      'hooks.slack.com/services/T000/B000/x',
      'api.slack.com/messaging/webhooks',
      'hooks.slack.com/workflows/xxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
  },
}

const discordWebhook: Recognizer = {
  id: 'discord-webhook',
  ...about,
  rules: [
    webhook(
      'discord(app)?\\.com/api/(v[0-9]{1,2}/)?webhooks/[0-9]{16,22}/[A-Za-z0-9_\\-]{40}',
      98,
      'A-Za-z0-9_\\-',
      last(40),
    ),
  ],
  examples: {
    match: [
      `discord.com/api/webhooks/148392840000482200/ihUFAgIi-OsnNHsjJBpvzkzZOicbe0R2UkWo1nvOnkLGHWJnW8HZjF_dRDj7fi5q3u2${'h'}`,
      `discordapp.com/api/webhooks/148392840000482200/q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgq7Wc2LrT9mVx4Kp${'Z'}`,
      `discord.com/api/v10/webhooks/148392840000482200/q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgq7Wc2LrT9mVx4Kp${'Z'}`,
    ],
    miss: [
      'discord.com/api/webhooks/148392840000482200',
      'discord.com/api/webhooks/148392840000482200/short',
      'discord.com/api/webhooks/148392840000482200/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'discord.com/channels/148392840000482200/148392840000482200',
    ],
  },
}

const microsoftWebhook: Recognizer = {
  id: 'microsoft-webhook',
  ...about,
  rules: [
    webhook(
      `(webhook\\.office\\.com/webhookb2|outlook\\.office(365)?\\.com/webhook)/${uuid}@${uuid}`,
      110,
      path,
      () => true,
    ),
    webhook(
      'logic\\.azure\\.com(:443)?/workflows/[a-f0-9]{32}/triggers/[A-Za-z0-9_]{1,40}/paths/invoke',
      132,
      'A-Za-z0-9?&=%_./\\-',
      (text, start, end) => !isFilled(text, start, end),
    ),
  ],
  examples: {
    match: [
      'webhook.office.com/webhookb2/9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25@4ccb2b9c-e1b7-4d0f-9e3b-0b7a2fd5a7de/IncomingWebhook/b5d8a1f0c3e94726a8f1d2c3b4a59687/3f1c6e0a-7b2d-4c89-9a54-e1d0f7b8c6a2',
      'outlook.office.com/webhook/9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25@4ccb2b9c-e1b7-4d0f-9e3b-0b7a2fd5a7de/IncomingWebhook/b5d8a1f0c3e94726a8f1d2c3b4a59687',
      'logic.azure.com:443/workflows/7c1e0b9a4d5f68213b0c9e7d5a4f1082/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRiNkMtXwQb',
    ],
    miss: [
      'webhook.office.com/webhookb2/',
      'outlook.office.com/mail/inbox',
      'logic.azure.com/workflows/list',
      'webhook.office.com/webhookb2/9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25',
    ],
  },
}

const automationWebhook: Recognizer = {
  id: 'automation-webhook',
  ...about,
  rules: [
    webhook('hooks\\.zapier\\.com/hooks/catch/[0-9]{4,12}/[A-Za-z0-9]{6}', 56, path, () => true),
    webhook('hook\\.(eu1|eu2|us1|us2|integromat)\\.(make\\.)?com/[a-z0-9]{20}', 60, path, last(20)),
    webhook(
      'maker\\.ifttt\\.com/trigger/[A-Za-z0-9_\\-]{1,64}/(json/)?with/key/[A-Za-z0-9_\\-]{20}',
      132,
      path,
      last(20),
    ),
    webhook(
      'chat\\.googleapis\\.com/v1/spaces/[A-Za-z0-9_\\-]{6,24}/messages\\?key=[A-Za-z0-9_\\-]{20}',
      96,
      'A-Za-z0-9?&=%_\\-',
      last(20),
    ),
    webhook('events\\.pagerduty\\.com/integration/[a-f0-9]{32}', 70, path, last(32)),
  ],
  examples: {
    match: [
      'hooks.zapier.com/hooks/catch/1234567/q7wc2lr',
      'hook.eu1.make.com/q7wc2lrt9mvx4kpz1nbd6hgf3sjya8eu',
      'maker.ifttt.com/trigger/door_opened/with/key/q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eU',
      'chat.googleapis.com/v1/spaces/AAAAq7Wc2Lr/messages?key=q7Wc2LrT9mVx4KpZ1nBd6HgF3sJyA8eUoRi&token=nBd6HgF3sJyA8eUoRiNkMtXwQbC5vEaDzPgq7Wc2LrT',
      'events.pagerduty.com/integration/7c1e0b9a4d5f68213b0c9e7d5a4f1082/enqueue',
    ],
    miss: [
      'hooks.zapier.com/hooks/catch/',
      'hook.eu1.make.com/',
      'maker.ifttt.com/trigger/door_opened',
      'chat.googleapis.com/v1/spaces/AAAAq7Wc2Lr/messages',
    ],
  },
}

const groupChatWebhook: Recognizer = {
  id: 'group-chat-webhook',
  ...about,
  rules: [
    webhook(`open\\.(feishu\\.cn|larksuite\\.com)/open-apis/bot/v2/hook/${uuid}`, 96, path, last(36)),
    webhook('oapi\\.dingtalk\\.com/robot/send\\?access_token=[a-f0-9]{64}', 106, 'A-Za-z0-9', last(64)),
    webhook(`qyapi\\.weixin\\.qq\\.com/cgi-bin/webhook/send\\?key=${uuid}`, 90, path, last(36)),
  ],
  examples: {
    match: [
      'open.feishu.cn/open-apis/bot/v2/hook/9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25',
      'oapi.dingtalk.com/robot/send?access_token=7c1e0b9a4d5f68213b0c9e7d5a4f10827c1e0b9a4d5f68213b0c9e7d5a4f1082',
      'qyapi.weixin.qq.com/cgi-bin/webhook/send?key=9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25',
    ],
    miss: [
      'open.feishu.cn/open-apis/bot/v2/hook/',
      'oapi.dingtalk.com/robot/send?access_token=short',
      'qyapi.weixin.qq.com/cgi-bin/webhook/send?key=xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
      'open.feishu.cn/open-apis/bot/v2/9653eda9-b1cf-4a3d-8c7a-8d4f8a7ffc25',
    ],
  },
}

export const webhooks: readonly Recognizer[] = [
  slackWebhook,
  discordWebhook,
  microsoftWebhook,
  automationWebhook,
  groupChatWebhook,
]
