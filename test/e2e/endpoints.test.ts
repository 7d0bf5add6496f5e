// No administrative, legacy or alias path of any model server exists here, for no role, with no method, in no spelling.
import t from 'tap'
import { sameRefusal, stillServes } from '../support/hostile.ts'
import { openRaw, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const paths: Record<string, string> = {
  vLLM: `/pause /resume /is_paused /scale_elastic_ep /is_scaling_elastic_ep /init_weight_transfer_engine /update_weights
    /get_world_size /abort_requests /tokenizer_info /v1/load_lora_adapter /v1/unload_lora_adapter /server_info
    /reset_prefix_cache /reset_mm_cache /reset_encoder_cache /sleep /wake_up /is_sleeping /collective_rpc
    /start_profile /stop_profile /docs /openapi.json /redoc /tokenize /detokenize /pooling /classify /score /v1/score
    /rerank /v1/rerank /v2/rerank /v2/embed /generative_scoring /invocations /inference/v1/generate
    /v1/chat/completions/render /v1/completions/render /v1/chat/completions/batch /v1/responses /v1/responses/resp_1
    /v1/responses/resp_1/cancel /v1/messages /v1/messages/count_tokens /v1/realtime /health /ping /version /load /live
    /metrics /metrics/ /v1/audio/transcriptions /v1/audio/translations`,
  SGLang: `/flush_cache /clear_hicache_storage_backend /freeze_gc /start_expert_distribution_record
    /stop_expert_distribution_record /dump_expert_distribution_record /update_weights_from_disk
    /update_weights_from_tensor /update_weights_from_distributed /update_weights_from_ipc /update_weights_from_delta
    /update_weights_from_gpu_delta /update_weight_version /init_weights_update_group /destroy_weights_update_group
    /init_weights_send_group_for_remote_instance /send_weights_to_remote_instance /get_weights_by_name
    /release_memory_occupation /resume_memory_occupation /slow_down /load_lora_adapter
    /load_lora_adapter_from_tensors /unload_lora_adapter /open_session /close_session /configure_logging
    /abort_request /pause_generation /continue_generation /set_internal_state /get_server_info /get_load
    /generate_from_file /parse_function_call /separate_reasoning /add_external_corpus /remove_external_corpus
    /dumper/start /health_generate /v1/loads /generate /encode /vertex_generate /v1/tokenize /v1/detokenize
    /v1/classify /api/chat /api/generate /api/tags /api/show`,
  'llama.cpp': `/props /slots /slots/0?action=save /slots/0?action=restore /slots/0?action=erase /lora-adapters /models
    /models/load /models/unload /models/sse /tools /cors-proxy /v1/stream /v1/streams/lookup
    /v1/chat/completions/control /infill /apply-template /completion /completions /chat/completions /embedding
    /embeddings /v1/health /v1/reranking /v1/chat/completions/input_tokens /v1/responses/input_tokens /predict
    / /index.html`,
  Triton: `/v2 /v2/health/ready /v2/repository/index /v2/repository/models/x/load /v2/repository/models/x/unload
    /v2/models/x/infer /v2/systemsharedmemory/region/x/register /v2/trace/setting /v2/logging /health/ready`,
  TGI: '/info /generate_stream /chat_tokenize /vertex',
  Dynamo: `/busy_threshold /clear_kv_blocks /worker_admin /v1/videos /v1/images/generations /v1/audios`,
  'llm-d': '/admin/config /fake_metrics',
  OpenAI: `/v1 /v1/ /v1/files /v1/files/file-1 /v1/files/file-1/content /v1/batches /v1/uploads /v1/conversations
    /v1/vector_stores /v1/assistants /v1/threads /v1/evals /v1/fine_tuning/jobs /v1/containers /v1/organization/users
    /v1/moderations /v1/engines/demo/completions /v1/edits /v1/audio/speech /v1/chat/completions/chatcmpl-1
    /v1/chat/completions/chatcmpl-1/messages`,
  ours: '/livez /readyz /config /audit /quota /admin /admin/quota /debug /debug/pprof /health/detail /.env /.well-known/x',
}

const token = stack.token({ roles: ['admin'] })

for (const [server, list] of Object.entries(paths)) {
  t.test(server, async (t) => {
    const caller = await openRaw(stack)
    for (const target of list.split(/\s+/)) {
      for (const method of ['GET', 'POST'] as const) {
        const already = caller.replies.length
        const body = method === 'POST' ? '{"model":"demo"}' : ''
        const replies = await caller.send(requestText({ token, method, target, body })).answered(already + 1)
        t.equal(replies.length, already + 1, `${method} ${target} is answered`)
        if (replies[already]) sameRefusal(t, replies[already], 'unknown_url')
      }
    }
    t.equal(stack.model.stats.requests, 0, 'the model server saw nothing')
    caller.destroy()
  })
}

t.test('below the models only names are read, never commands', async (t) => {
  const caller = await openRaw(stack)
  const commands = [
    'demo/load',
    'demo/unload',
    'demo%2Fload',
    'demo%2funload',
    'load',
    'unload',
    'sse',
    'download',
  ]
  for (const [place, name] of commands.entries()) {
    const target = `/v1/models/${name}`
    const replies = await caller.send(requestText({ token, method: 'GET', target })).answered(2 * place + 1)
    if (replies[2 * place]) sameRefusal(t, replies[2 * place] as never, 'model_not_found')
    await caller.send(requestText({ token, target, body: '{}' })).answered(2 * place + 2)
    t.equal(caller.replies[2 * place + 1]?.status, 405, `POST ${target}`)
  }
  t.equal(stack.model.stats.requests, 0)
  await stillServes(t, caller, stack)
  caller.destroy()
})

t.test('nothing of it reached the model server', (t) => {
  t.same(stack.model.stats.adminHits, {})
  t.equal(stack.model.stats.unknownPaths, 0)
  t.same(new Set(stack.model.requests.map(({ path }) => path)), new Set(['/v1/chat/completions']))
  t.end()
})
