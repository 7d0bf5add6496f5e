/** Fields of an answer of the operators' listener, read without belief: one of another type counts as left out. */
import { CommandFailed } from '../surroundings.ts'

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const fields = (value: unknown): Fields => (isFields(value) ? value : {})
export const text = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
export const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0
/** A wait that never ends is `null` in JSON. */
export const wait = (value: unknown): number => (value === null ? Number.POSITIVE_INFINITY : number(value))
export const many = <Item>(value: unknown, read: (item: Fields) => Item): Item[] =>
  Array.isArray(value) ? value.filter(isFields).map(read) : []
export const texts = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields(value)).map(([name, part]) => [name, text(part)]))

export const foreign = (what: string): CommandFailed =>
  new CommandFailed(
    `The answer has no ${what}. Is that the operators' listener of a Sallyport of this version?`,
  )

export function listOf<Item>(body: unknown, name: string, read: (item: Fields) => Item): Item[] {
  const list = fields(body)[name]
  if (!Array.isArray(list)) throw foreign(`list of ${name}`)
  return many(list, read)
}
