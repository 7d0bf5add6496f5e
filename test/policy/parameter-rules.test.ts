import t from 'tap'
import type { Call } from '../../src/openai/call.ts'
import { checkParameters, mergeParameters } from '../../src/policy/parameter-rules.ts'
import type { ParameterRules } from '../../src/policy/rules.ts'
import { Refusal } from '../../src/refusal.ts'
import { simulatedCall } from './simulated-call.ts'

const closed: ParameterRules = {
  outputTokensMax: 100,
  choicesMax: 1,
  promptsMax: 1,
  inputsMax: 1,
  tools: 'none',
  responseFormats: [],
}

/** `code param` of the refusal, or `allowed`. */
function outcome(call: Partial<Call>, rules: Partial<ParameterRules> = {}): string {
  try {
    checkParameters(simulatedCall(call), { ...closed, ...rules })
    return 'allowed'
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return `${error.code} ${error.param}`
  }
}

t.test('output bound', async (t) => {
  t.equal(outcome({}), 'allowed')
  t.equal(outcome({ outputTokensMax: 100 }), 'allowed')
  const above = { outputTokensMax: 101 }
  t.equal(outcome({ ...above, fields: { max_tokens: 101 } }), 'parameter_above_cap max_tokens')
  t.equal(
    outcome({ ...above, fields: { max_completion_tokens: 101 } }),
    'parameter_above_cap max_completion_tokens',
  )
  const both = { max_tokens: 1, max_completion_tokens: 101 }
  t.equal(outcome({ ...above, fields: both }), 'parameter_above_cap max_completion_tokens')
  const absent = { max_tokens: 101, max_completion_tokens: null }
  t.equal(outcome({ ...above, fields: absent }), 'parameter_above_cap max_tokens')
})

t.test('choices', async (t) => {
  t.equal(outcome({ choices: 2 }), 'parameter_above_cap n')
  t.equal(outcome({ choices: 2 }, { choicesMax: 2 }), 'allowed')
})

t.test('batches: prompts of completions, inputs of embeddings', async (t) => {
  const completions = { endpoint: 'completions', prompts: 3 } as const
  t.equal(outcome(completions, { promptsMax: 2, inputsMax: 9 }), 'parameter_above_cap prompt')
  t.equal(outcome(completions, { promptsMax: 3 }), 'allowed')
  const embeddings = { endpoint: 'embeddings', prompts: 3 } as const
  t.equal(outcome(embeddings, { promptsMax: 9, inputsMax: 2 }), 'parameter_above_cap input')
  t.equal(outcome(embeddings, { inputsMax: 3 }), 'allowed')
  t.equal(outcome({ prompts: 1 }), 'allowed')
})

t.test('logprobs', async (t) => {
  t.equal(outcome({ logprobs: 0 }), 'parameter_forbidden logprobs')
  t.equal(outcome({ logprobs: 0 }, { logprobsMax: 0 }), 'allowed')
  t.equal(outcome({ logprobs: 1 }, { logprobsMax: 0 }), 'parameter_above_cap top_logprobs')
  t.equal(
    outcome({ logprobs: 1, endpoint: 'completions' }, { logprobsMax: 0 }),
    'parameter_above_cap logprobs',
  )
  t.equal(outcome({ logprobs: 5 }, { logprobsMax: 5 }), 'allowed')
})

t.test('tools', async (t) => {
  t.equal(outcome({ tools: ['f'] }), 'parameter_forbidden tools')
  t.equal(outcome({ tools: [] }), 'allowed')
  t.equal(outcome({ tools: ['get_a', 'get_b'] }, { tools: ['get_*'] }), 'allowed')
  t.equal(outcome({ tools: ['get_a', 'set_b'] }, { tools: ['get_*'] }), 'parameter_forbidden tools')
  t.equal(outcome({ tools: ['get_a', 'set_b'] }, { tools: ['get_*', 'set_b'] }), 'allowed')
})

t.test('response format', async (t) => {
  t.equal(
    outcome({ responseFormat: 'json_schema' }, { responseFormats: ['text'] }),
    'parameter_forbidden response_format',
  )
  t.equal(outcome({ responseFormat: 'text' }, { responseFormats: ['text'] }), 'allowed')
  t.equal(outcome({ responseFormat: 'text' }), 'parameter_forbidden response_format')
})

t.test('the detail never quotes what was sent', async (t) => {
  const call = simulatedCall({ tools: ['planted-secret'], responseFormat: 'planted-secret' })
  try {
    checkParameters(call, closed)
    t.fail('must be refused')
  } catch (error) {
    t.notMatch(String(error), 'planted-secret')
  }
})

t.test('merged: the most generous of each', async (t) => {
  t.same(mergeParameters([closed]), { ...closed, logprobsMax: undefined })
  const merged = mergeParameters([
    {
      outputTokensMax: 1,
      choicesMax: 5,
      promptsMax: 1,
      inputsMax: 9,
      logprobsMax: 0,
      tools: ['a', 'b'],
      responseFormats: ['text'],
    },
    {
      outputTokensMax: 9,
      choicesMax: 2,
      promptsMax: 7,
      inputsMax: 2,
      tools: 'none',
      responseFormats: ['text', 'json_object'],
    },
    {
      outputTokensMax: 3,
      choicesMax: 1,
      promptsMax: 2,
      inputsMax: 3,
      logprobsMax: 2,
      tools: ['b'],
      responseFormats: [],
    },
  ])
  t.same(merged, {
    outputTokensMax: 9,
    choicesMax: 5,
    promptsMax: 7,
    inputsMax: 9,
    logprobsMax: 2,
    tools: ['a', 'b'],
    responseFormats: ['text', 'json_object'],
  })
})
