import { Buffer } from 'node:buffer'
import type { Json } from './call.ts'
import type { Rule } from './field.ts'
import { type Place, refuse } from './walk.ts'

const imageBytesMax = 8 * 1024 * 1024
const audioBytesMax = 8 * 1024 * 1024
/** Enough for every magic number below (WEBP's ends at byte 12); a multiple of 4 for base64. */
const headLength = 24

/** First bytes of a format, as a regular expression over latin1. */
const formats = {
  png: /^\x89PNG\r\n.\n/s,
  jpeg: /^\xff\xd8\xff/,
  gif: /^GIF8[79]a/,
  webp: /^RIFF.{4}WEBP/s,
  wav: /^RIFF.{4}WAVE/s,
  mp3: /^(?:ID3|\xff[\xe0-\xff])/,
} as const

/** `data:image/png;base64,`, without parameters: a `name=` there would be text that nobody screens. */
const imageHead = /^data:image\/(png|jpeg|jpg|gif|webp);base64,/i

/**
 * The URL of an image: only an inline one, of a known format, so that the model server fetches nothing (SSRF) and
 * reads no file. The URL is built anew from its checked parts.
 */
export const imageUrl: Rule = (value, place, walk) => {
  walk.countMedia(place)
  if (typeof value !== 'string') return refuse('invalid_value', place, 'not a string')
  if (!/^data:/i.test(value)) refuse('remote_content_refused', place, 'not a data: URL')
  const head = imageHead.exec(value.slice(0, 64))
  if (head === null) return refuse('invalid_value', place, 'not a base64 data: URL of a known image type')
  const format = (head[1] ?? '').toLowerCase().replace('jpg', 'jpeg') as keyof typeof formats
  return `data:image/${format};base64,${checkBase64(value.slice(head[0].length), format, imageBytesMax, place)}`
}

/** Base64 of a sound in one of the two formats that OpenAI takes. */
export const audioData: Rule = (value, place, walk) => {
  walk.countMedia(place)
  const format = hasHead(value, 'wav') ? 'wav' : 'mp3'
  return checkBase64(value, format, audioBytesMax, place)
}

function checkBase64(value: Json, format: keyof typeof formats, bytesMax: number, place: Place): string {
  if (typeof value !== 'string') return refuse('invalid_value', place, 'not a string')
  if (value.length > (bytesMax / 3) * 4)
    refuse('invalid_value', place, `more than ${bytesMax} bytes of media`)
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value))
    refuse('invalid_value', place, 'not base64')
  if (!hasHead(value, format)) refuse('invalid_value', place, 'not the media format it claims to be')
  return value
}

const hasHead = (value: Json, format: keyof typeof formats): boolean =>
  typeof value === 'string' &&
  formats[format].test(Buffer.from(value.slice(0, headLength), 'base64').toString('latin1'))
