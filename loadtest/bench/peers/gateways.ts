// LLM gateways of others, as their quickstarts run them: plain HTTP, callers not authenticated where they allow it,
// nothing switched on that is off by default. That is the least that they can cost.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { places, versionOf } from './places.ts'
import type { Row } from './row.ts'

const absent = 'not installed: npm run bench:peers -- --install'
const off = 'no TLS, callers are not authenticated, no limits, no redaction, no audit log'

export const portkey: Row = {
  name: 'portkey',
  title: 'Portkey gateway',
  on: 'translation between providers',
  off,
  had: 'npm package @portkey-ai/gateway, in a folder of its own',
  find: async () => {
    const text = await readFile(join(places.portkey, 'package.json'), 'utf8').catch(() => undefined)
    return text === undefined
      ? { missing: absent }
      : { version: (JSON.parse(text) as { version: string }).version }
  },
  plan: ({ modelPort }, { port }) => ({
    command: process.execPath,
    args: [join(places.portkey, 'build/start-server.js'), `--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production' },
    files: {},
    origin: `http://127.0.0.1:${port}`,
    headers: {
      authorization: 'Bearer none',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${modelPort}/v1`,
    },
  }),
}

const masterKey = `sk-${randomBytes(32).toString('hex')}`

export const litellm: Row = {
  name: 'litellm',
  title: 'LiteLLM proxy',
  on: 'translation between providers, its router, one master key (it does not start without)',
  off: 'no TLS, no limits, no redaction, no audit log',
  had: 'PyPI package litellm[proxy], in a virtual environment of its own',
  find: () => {
    const version =
      'from importlib.metadata import version as v; print(v("litellm"), "on uvicorn", v("uvicorn"))'
    return versionOf(places.litellmPython, ['-c', version], /^(.+)$/m, absent)
  },
  plan: ({ modelPort }, { port }) => ({
    command: places.litellm,
    args: ['--config', 'litellm.yaml', '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
    env: {
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_MODE: 'PRODUCTION',
      LITELLM_LOG: 'ERROR',
      LITELLM_MASTER_KEY: masterKey,
      NO_PROXY: '127.0.0.1',
    },
    files: { 'litellm.yaml': litellmYaml(modelPort) },
    origin: `http://127.0.0.1:${port}`,
    headers: { authorization: `Bearer ${masterKey}` },
  }),
}

const litellmYaml = (modelPort: number): string => `model_list:
  - model_name: demo
    litellm_params:
      model: openai/demo
      api_base: http://127.0.0.1:${modelPort}/v1
      api_key: none
litellm_settings:
  telemetry: false
`

export const gomodel: Row = {
  name: 'gomodel',
  title: 'GoModel',
  on: 'translation between providers, its usage tracking (SQLite)',
  off,
  had: 'Go module github.com/enterpilot/gomodel; in place of Bifrost, see below',
  find: () => versionOf(places.gomodel, ['-version'], /^gomodel (\S+)/, absent),
  plan: ({ modelPort }, { port }) => ({
    command: places.gomodel,
    args: [],
    env: {
      PORT: String(port),
      GOMAXPROCS: '1',
      VLLM_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
      LOG_LEVEL: 'error',
    },
    files: {},
    origin: `http://127.0.0.1:${port}`,
    headers: {},
  }),
}

/** Named, so that nobody looks for it in vain. */
export const notToBeHad = [
  {
    name: 'bifrost',
    title: 'Bifrost',
    reason:
      'not measured: the Go module proxy answers 403 "This module version is not available" for its module (github.com/maximhq/bifrost/transports, v1.5.0)',
  },
] as const
