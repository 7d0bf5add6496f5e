/**
 * What hints at prompt injection. `invisible_text`: characters that a model reads and a person does not see.
 * `template_tokens`: the marks that a chat template parts its messages with. `exfiltration_link`: a link or
 * an image that carries data in its address. `known_phrasing`: words that such attacks use.
 * `encoded_payload`: any of these, in Base64 or hexadecimal.
 */
export type InjectionKind =
  | 'invisible_text'
  | 'template_tokens'
  | 'exfiltration_link'
  | 'known_phrasing'
  | 'encoded_payload'

/**
 * A signal, not a verdict: an attacker who knows these rules avoids them, and a text about attacks has them.
 */
export interface InjectionSignal {
  readonly kind: InjectionKind
  /** Which rule of the kind, in kebab-case: `override`, `tag-characters`. */
  readonly rule: string
  /** Offsets in UTF-16 code units of the text. */
  readonly start: number
  readonly end: number
}
