import { type TEnum, type TProperties, Type } from 'typebox'

/** What a path in the configuration leads to. It decides how the path is checked before the boot. */
export type FileKind = 'certificate' | 'key' | 'authorities' | 'crl' | 'secret' | 'data' | 'folder'

interface IntegerBounds {
  readonly minimum: number
  readonly maximum: number
  readonly default?: number
}

/** A mapping with a closed list of keys. */
export const section = <Fields extends TProperties>(description: string, fields: Fields) =>
  Type.Object(fields, { description, additionalProperties: false })

/** A section that may be left out: every field of it has a default or is optional. */
export const sectionWithDefaults = <Fields extends TProperties>(description: string, fields: Fields) =>
  Type.Object(fields, { description, additionalProperties: false, default: {} })

/** A whole number with bounds; the unit is the last word of the field's name. */
export const integer = (description: string, bounds: IntegerBounds) =>
  Type.Integer({ description, ...bounds })

/** A switch, off or on by default. */
export const flag = (description: string, defaults: { readonly default: boolean }) =>
  Type.Boolean({ description, ...defaults })

/** Text with a bounded length. */
export const text = (
  description: string,
  options: { readonly default?: string; readonly examples?: string[] } = {},
) => Type.String({ description, minLength: 1, maxLength: 1024, ...options })

/** A path; relative paths start at the folder that holds the configuration. */
export const file = (description: string, kind: FileKind) =>
  Type.String({ description, minLength: 1, maxLength: 4096, file: kind })

/** One of a closed list of words. */
export const oneOf = <const Words extends string[]>(
  description: string,
  words: readonly [...Words],
  options: { readonly default?: Words[number] } = {},
): TEnum<Words> => Type.Enum<Words>(words, { description, ...options })

/** Names of roles, scopes, pools, profiles and issuers: they appear in logs, metrics and bucket keys. */
export const NAME_PATTERN = '^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$'
export const NAME_EXPECTED =
  'lower-case letters, digits, "-", "_" and ".", 1 to 63 characters, letter or digit at both ends'

/** A mapping from names to values of one shape. */
export const namedEntries = <Value extends TProperties[string]>(
  description: string,
  value: Value,
  options: { readonly pattern?: string; readonly expected?: string; readonly entriesMax: number },
) =>
  Type.Record(Type.String({ pattern: options.pattern ?? NAME_PATTERN }), value, {
    description,
    additionalProperties: false,
    maxProperties: options.entriesMax,
    keysExpected: options.expected ?? NAME_EXPECTED,
  })
