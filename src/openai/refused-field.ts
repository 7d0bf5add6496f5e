import type { RefusalCode } from '../refusal.ts'
import type { Json } from './call.ts'
import { type Fields, refused } from './field.ts'

/**
 * Fields of vLLM, SGLang, llama.cpp and TGI that Sallyport knows and never forwards, whatever the policy says of
 * unknown fields. Each is a way around screening, limits, the chat template or the walls between tenants.
 */

/** Text as numbers, or as tensors, which a deserializer would have to trust too. */
const tokenIds = `input_ids prompt_token_ids prompt_ids input_embeds prompt_embeds embed_overrides image_embeds
  audio_embeds inputs_embeds encoder_prompt_token_ids`

/** What a model server would fetch from the network or read from its disk. */
const remoteContent =
  'image_data video_data audio_data image_url video_url audio_url file_url image_urls images videos'

const unsupported = [
  // The prompt's frame: Jinja from a caller is code (CVE-2026-115918, CVE-2025-62426), and switches move turn boundaries.
  'chat_template chat_template_kwargs chat_template_content_format generation_prompt documents_template',
  'mm_processor_kwargs media_io_kwargs truncate_prompt_tokens truncation_side truncate input_prefix input_suffix',
  'system_prompt template preserved_tokens reasoning_budget_message',
  // Grammars that the caller writes hang or kill the engine (CVE-2026-55574, CVE-2026-105757).
  'guided_json guided_regex guided_choice guided_grammar guided_decoding_backend guided_whitespace_pattern',
  'guided_json_object structural_tag grammar grammar_lazy grammar_triggers grammar_type json_schema ebnf regex stop_regex',
  'response_format_regex',
  // Code and plug-ins (CVE-2026-15976: a pickle).
  'logits_processors custom_logit_processor custom_params vllm_xargs extra_args extra_key custom_labels tool_server',
  // Another tenant's handles, and the scheduler.
  'priority cache_salt request_id rid session_id session_params session conv_id id_slot slot_id data_parallel_rank',
  'routed_dp_rank disagg_prefill_dp_rank routing_key previous_response_id previous_response conversation background',
  'kv_transfer_params ec_transfer_params bootstrap_host bootstrap_port bootstrap_room bootstrap_pair_key',
  // Adapters: the scope check is on the model's name.
  'lora lora_path lora_name lora_request lora_id adapter_id adapters_config',
  // Replies that show text beside the screened text.
  'prompt_logprobs logprob_token_ids logprob_start_len top_logprobs_num token_ids_logprob n_probs response_fields',
  'routed_experts_prompt_start details top_n_tokens',
  // Cost.
  'thinking_token_budget reasoning_budget_tokens thinking_budget_tokens n_predict n_cmpl t_max_predict_ms',
  'repetition_detection beam_width num_beams length_penalty stream_interval sse_ping_interval allowed_token_ids',
  'stop_token_ids bad_words bad_words_ids samplers mirostat n_indent n_keep n_discard max_tokens_per_doc',
  'stop_token_ids_str speculative speculation no_stop_trim watermarking watermark',
  // What the gateway would have to run or store.
  'web_search_options audio moderation plugins',
]

/** Switches, with the value that changes nothing. */
const switches: Readonly<Record<string, readonly Json[]>> = {
  echo: [false],
  best_of: [1],
  use_beam_search: [false],
  early_stopping: [false],
  ignore_eos: [false],
  min_tokens: [0],
  store: [false],
  service_tier: ['auto', 'default'],
  add_generation_prompt: [true],
  continue_final_message: [false],
  add_special_tokens: [],
  skip_special_tokens: [true],
  spaces_between_special_tokens: [true],
  include_stop_str_in_output: [false],
  include_reasoning: [true],
  separate_reasoning: [true],
  stream_reasoning: [true],
  reasoning_format: ['auto'],
  cache_prompt: [true],
  timings_per_token: [false],
  post_sampling_probs: [false],
  verbose: [false],
  return_progress: [false],
  return_tokens: [false],
  return_token_ids: [false],
  return_tokens_as_token_ids: [false],
  return_token_offsets: [false],
  return_prompt_text: [false],
  return_hidden_states: [false],
  return_routed_experts: [false],
  return_mm_kwargs: [false],
  return_meta_info: [false],
  return_logprob: [false],
  return_cached_tokens_details: [false],
  return_full_text: [false],
}

const all = (names: string, code: RefusalCode): Fields =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, refused(code)]))

/** Spread first into the table of an endpoint: what the endpoint does take overrides it. */
export const refusedFields: Fields = {
  ...all(tokenIds, 'token_ids_refused'),
  ...all(remoteContent, 'remote_content_refused'),
  ...all(unsupported.join(' '), 'unsupported_parameter'),
  ...Object.fromEntries(
    Object.entries(switches).map(([name, harmless]) => [name, refused('unsupported_parameter', harmless)]),
  ),
}
