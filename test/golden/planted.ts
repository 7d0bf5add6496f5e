/** Recordings whose texts were exchanged for text full of values to redact; every other byte stays as it was. */
import type { Json, JsonObject } from '../../src/openai/call.ts'
import type { Recording } from './recording.ts'

/** Each of them must vanish. */
export const plantedValues: readonly string[] = [
  'jo@example.com',
  '4111 1111 1111 1111',
  '5500-0000-0000-0004',
  '536-22-8726',
  'GB29 NWBK 6016 1331 9268 19',
  '192.0.2.17',
  `ghp_${'q7Lx2VfR9tKc4WnZ'}${'b8YpM3sJdH6gTuE5aQrX'}`,
]

const prose = `${plantedValues.map((value, at) => `${'word '.repeat(at % 3)}naïve \u{1f600} ${value}`).join(', ')}. `
const members = plantedValues.map((value, at) => `"${at}":"${value}\\n caf\\u00e9"`)
const json = `{${members.join(',')},"list":[${members.map((member) => `{${member}}`).join(',')}]} `

const textFields = new Set(['content', 'text', 'reasoning', 'reasoning_content', 'refusal', 'arguments'])

class Planter {
  readonly #used = new Map<string, number>()

  /** As many code units as the text had, from where the channel's last text ended. */
  #next(channel: string, length: number): string {
    const sample = channel.endsWith('arguments') ? json : prose
    const from = this.#used.get(channel) ?? 0
    this.#used.set(channel, from + length)
    const start = from % sample.length
    return sample.repeat(1 + Math.ceil((start + length) / sample.length)).slice(start, start + length)
  }

  replant(value: Json, channel: string): Json {
    if (Array.isArray(value)) {
      return value.map((item, at) => this.replant(item, `${channel}/${String(placeOf(item) ?? at)}`))
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([name, field]): [string, Json] => {
      const place = `${channel}/${name}`
      const isText = typeof field === 'string' && textFields.has(name)
      return [name, isText ? this.#next(place, field.length) : this.replant(field, place)]
    })
    return Object.fromEntries(entries)
  }
}

const placeOf = (item: Json): Json | undefined =>
  typeof item === 'object' && item !== null && !Array.isArray(item) ? item['index'] : undefined

/** The same recording with other texts, of the same lengths, cut at the same places. */
export function planted(recording: Recording): Recording {
  const planter = new Planter()
  const events = recording.events.map(
    (event) => ({ ...event, choices: planter.replant(event['choices'] ?? [], '') }) as JsonObject,
  )
  const sse = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
  return { ...recording, name: `${recording.name}, planted`, events, bytes: new TextEncoder().encode(sse) }
}
