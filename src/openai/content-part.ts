import {
  array,
  byType,
  dropped,
  type Fields,
  object,
  oneOf,
  type Rule,
  refused,
  tagged,
  text,
} from './field.ts'
import { audioData, imageUrl } from './inline-media.ts'

const partsMax = 256

/** A marker for OpenAI's own prompt cache, and the one that Anthropic's clients leave in; no model server here has it. */
const cacheMarks: Fields = { prompt_cache_breakpoint: dropped, cache_control: dropped }

const textPart = object({ type: oneOf('text'), text: text(), ...cacheMarks }, ['type', 'text'])

const refusalPart = object({ type: oneOf('refusal'), refusal: text() }, ['type', 'refusal'])

const imagePart = object(
  {
    type: oneOf('image_url'),
    // vLLM takes the bare string too.
    image_url: byType({
      string: imageUrl,
      object: object({ url: imageUrl, detail: oneOf('auto', 'low', 'high') }, ['url']),
    }),
    ...cacheMarks,
  },
  ['type', 'image_url'],
)

const audioPart = object(
  {
    type: oneOf('input_audio'),
    input_audio: object({ data: audioData, format: oneOf('wav', 'mp3') }, ['data', 'format']),
    ...cacheMarks,
  },
  ['type', 'input_audio'],
)

/** Parts that no table forwards: what cannot be screened, and what a model server would fetch. */
const refusedParts: Fields = {
  video_url: refused('remote_content_refused'),
  audio_url: refused('remote_content_refused'),
  image_pil: refused('unsupported_parameter'),
  file: refused('unsupported_parameter'),
  input_file: refused('unsupported_parameter'),
  thinking: refused('unsupported_parameter'),
  tool_reference: refused('unsupported_parameter'),
  image_embeds: refused('token_ids_refused'),
  audio_embeds: refused('token_ids_refused'),
  prompt_embeds: refused('token_ids_refused'),
}

const contentOf = (parts: Fields): Rule =>
  byType({
    string: text(),
    array: array(tagged('type', { ...refusedParts, ...parts }), { lengthMin: 1, lengthMax: partsMax }),
  })

/** Content of a message that holds text only: a string, or a list of text parts. */
export const textContent = contentOf({
  text: textPart,
  image_url: refused('unsupported_parameter'),
  input_audio: refused('unsupported_parameter'),
})

/** Content of a user's message: text, inline images, inline sound. */
export const userContent = contentOf({ text: textPart, image_url: imagePart, input_audio: audioPart })

/** Content of an assistant's message: text and refusals. */
export const assistantContent = contentOf({ text: textPart, refusal: refusalPart })
