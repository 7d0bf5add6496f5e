// vLLM on the processor, with random weights: the real server of the most common engine, and a model that says nothing.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, run, start, untilReady } from './command.ts'
import { type ModelServer, newApiKey, openModelServer } from './model-server.ts'
import { NotRun, say } from './progress.ts'
import { installPinned, openPython, type Python } from './python.ts'

const READY_TIMEOUT_MS = 420_000

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  head_dim: 64,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  bos_token_id: 0,
  eos_token_id: 3,
  tie_word_embeddings: false,
  torch_dtype: 'float32',
}

const tokenizerConfig = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: '<s>',
  eos_token: '<|im_end|>',
  model_max_length: 4096,
  chat_template:
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + (m['content'] or '') + '<|im_end|>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
}

/** Ids that end a reply of this model, for `logit_bias`. */
export const vllmEnds: Readonly<Record<string, number>> = { '3': -100 }

/** Trains a byte-level tokenizer on one text; prints the size of its vocabulary. */
const trainTokenizer = `
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train([sys.argv[1]], trainers.BpeTrainer(vocab_size=1024, show_progress=False,
  special_tokens=['<s>', '</s>', '<|im_start|>', '<|im_end|>'],
  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
tokenizer.save(sys.argv[2])
print(tokenizer.get_vocab_size())
`

export interface Vllm {
  readonly version: string
  readonly python: Python
}

/** Installs vLLM when that was asked for, or finds an earlier installation. */
export async function findVllm(directory: string, { install }: { readonly install: boolean }): Promise<Vllm> {
  const environment = join(directory, 'venv')
  if (!install && !existsSync(environment)) throw new NotRun('it takes about 7 GB: ask for it with --vllm')
  mkdirSync(directory, { recursive: true })
  const python = await openPython(environment)
  if (install) {
    await run(python.command, ['-c', 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'])
    await installPinned(python, directory, 'requirements-vllm.txt')
  }
  const version = await run(python.command, ['-c', 'import vllm; print(vllm.__version__)'])
  return { version: version.trim().split('\n').at(-1) ?? 'unknown', python }
}

async function makeModel(directory: string, python: Python): Promise<string> {
  const folder = join(directory, 'model')
  mkdirSync(folder, { recursive: true })
  const corpus = join(import.meta.dirname, '../../LICENSE')
  const printed = await run(python.command, ['-c', trainTokenizer, corpus, join(folder, 'tokenizer.json')])
  const write = (file: string, value: object): void =>
    writeFileSync(join(folder, file), JSON.stringify(value, null, 2))
  write('config.json', { ...config, vocab_size: Number(printed) })
  write('tokenizer_config.json', tokenizerConfig)
  write('generation_config.json', { bos_token_id: 0, eos_token_id: 3 })
  return folder
}

export async function startVllm(
  { python }: Vllm,
  directory: string,
  logDirectory: string,
): Promise<ModelServer> {
  const model = 'vllm-dummy'
  const folder = await makeModel(directory, python)
  const port = await freePort()
  const apiKey = newApiKey()
  const origin = `http://127.0.0.1:${port}`
  say('  starting vLLM (1 to 4 minutes) ...')
  const process = start(
    python.command,
    [
      ...['-m', 'vllm.entrypoints.openai.api_server', '--model', folder, '--load-format', 'dummy'],
      ...['--served-model-name', model, '--host', '127.0.0.1', '--port', String(port), '--api-key', apiKey],
      ...['--enforce-eager', '--dtype', 'float32', '--max-model-len', '4096', '--max-num-seqs', '8'],
      ...['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'],
    ],
    {
      env: {
        VLLM_CPU_KVCACHE_SPACE: '1',
        VLLM_CPU_OMP_THREADS_BIND: 'nobind',
        OMP_NUM_THREADS: '1',
        HF_HUB_OFFLINE: '1',
        VLLM_NO_USAGE_STATS: '1',
      },
      logFile: join(logDirectory, 'vllm.log'),
    },
  )
  const ready = async (): Promise<boolean> => (await fetch(`${origin}/health`)).ok
  await untilReady(process, ready, { what: 'vLLM', timeoutMs: READY_TIMEOUT_MS })
  return openModelServer('vllm', { origin, apiKey, model, process })
}
