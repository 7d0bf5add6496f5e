import type { Recognizer } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'
import { base62, closedKey, hex, run, uuid, vendorKey, vendorKeys, web64 } from './prefixed.ts'

/** Zhipu and Z.ai: an identifier that looks like an MD5, a dot, a secret. */
const zhipuApiKey: Recognizer = {
  id: 'zhipu-api-key',
  entity: 'API_KEY',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    {
      pattern: '[a-f0-9]{32}\\.[A-Za-z0-9]{16}',
      left: { not: alphanumeric },
      right: { not: `${alphanumeric}_.` },
      lengthMax: 49,
      validate: (text, _start, end) =>
        looksIssued(text, end - 16, end) && /[A-Z]/.test(text.slice(end - 16, end)),
    },
  ],
  examples: {
    match: [
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082.q7Wc2LrT9mVx4KpZ',
      'e3b0c44298fc1c149afbf4c8996fb924.Zt5mWxY9bNcRfGhJ',
      '0d4f68213b0c9e7d5a4f10827c1e0b9a.nBd6HgF3sJyA8eUo',
    ],
    miss: [
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082.bundle',
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082.stylesheetfilemin',
      '7c1e0b9a4d5f68213b0c9e7d5a4f108.q7Wc2LrT9mVx4KpZ',
      '7c1e0b9a4d5f68213b0c9e7d5a4f1082.xxxxxxxxxxxxxxxx',
    ],
  },
}

/** Keys of model providers and of the tools around them. `openai-api-key.ts` has those that begin with `sk-`. */
export const aiProviders: readonly Recognizer[] = [
  vendorKeys('anthropic-api-key', [
    {
      prefixes: [
        'sk-ant-api03-',
        'sk-ant-api04-',
        'sk-ant-admin01-',
        'sk-ant-oat01-',
        'sk-ant-ort01-',
        'sk-ant-sid01-',
      ],
      body: [web64(24, 95)],
    },
  ]),
  vendorKey('openrouter-api-key', ['sk-or-v1-'], hex(40, 64)),
  vendorKey('langfuse-secret-key', ['sk-lf-'], ...uuid),
  vendorKey('groq-api-key', ['gsk_'], base62(52)),
  vendorKey('xai-api-key', ['xai-'], web64(60, 80)),
  vendorKey('perplexity-api-key', ['pplx-'], base62(40, 48)),
  closedKey('replicate-api-token', ['r8_'], base62(37)),
  // Letters alone.
  vendorKey('huggingface-token', ['hf_', 'api_org_'], run('A-Za-z', 34)),
  vendorKey('together-ai-api-key', ['tgp_v1_'], web64(43)),
  vendorKey('tavily-api-key', ['tvly-', 'tvly-dev-', 'tvly-prod-'], web64(32)),
  vendorKey('llamacloud-api-key', ['llx-'], web64(48)),
  closedKey('fireworks-api-key', ['fw_'], base62(24)),
  vendorKey('nvidia-api-key', ['nvapi-'], web64(60, 64)),
  closedKey('elevenlabs-api-key', ['sk_'], hex(48)),
  closedKey('cerebras-api-key', ['csk-'], run('a-z0-9', 48)),
  vendorKey('langsmith-api-key', ['lsv2_pt_', 'lsv2_sk_'], hex(32), '_', hex(10)),
  vendorKey('pinecone-api-key', ['pcsk_'], run('A-Za-z0-9_', 60, 69)),
  closedKey('voyage-api-key', ['pa-'], web64(43)),
  vendorKey('jina-api-key', ['jina_'], web64(40, 60)),
  closedKey('firecrawl-api-key', ['fc-'], hex(32)),
  closedKey('e2b-api-key', ['e2b_'], hex(40)),
  closedKey('modal-token', ['ak-', 'as-'], base62(22)),
  vendorKey('runpod-api-key', ['rpa_'], run('A-Z0-9', 40, 46)),
  vendorKey('weights-and-biases-api-key', ['wandb_v1_'], run('A-Za-z0-9_', 60, 77)),
  closedKey('cursor-api-key', ['key_', 'crsr_'], hex(64)),
  vendorKey('friendli-token', ['flp_'], base62(46)),
  vendorKey('wundergraph-api-key', ['cosmo_'], hex(32)),
  zhipuApiKey,
]
