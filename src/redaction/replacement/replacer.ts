import type { Direction, Finding, Replacer } from '../finding.ts'
import { placeholder } from '../mask.ts'
import { normalForm } from './normal-form.ts'
import type { TenantKey } from './tenant-key.ts'
import type { Vault } from './vault.ts'

const hashDigits = 8
const shownCharacters = 4

/** What the replacer knows of the entities of a policy. */
export interface EntityTraits {
  /** Numbers in which separators mean nothing. */
  readonly compact: ReadonlySet<string>
  /** No pseudonym is ever made of these: a key or a password must not come back. */
  readonly irreversible: ReadonlySet<string>
}

/** Values of one kind may show their end only if more of them stays hidden than is shown. */
function lastCharacters(value: string): string {
  const characters = value.match(/[\p{L}\p{N}]/gu) ?? []
  return characters.length >= 2 * shownCharacters ? characters.slice(-shownCharacters).join('') : ''
}

function partial(entity: string, value: string): string {
  const shown = lastCharacters(value)
  return shown === '' ? placeholder(entity) : `[${entity} ...${shown}]`
}

/** What stands in the place of the values of one exchange. Whatever cannot be made is a placeholder instead. */
export class ExchangeReplacer implements Replacer {
  readonly #direction: Direction
  readonly #traits: EntityTraits
  readonly #key: TenantKey | undefined
  readonly #vault: Vault | undefined

  constructor(
    direction: Direction,
    traits: EntityTraits,
    keys: { readonly key: TenantKey; readonly vault: Vault } | undefined,
  ) {
    this.#direction = direction
    this.#traits = traits
    this.#key = keys?.key
    this.#vault = keys?.vault
  }

  replace({ entity, action }: Pick<Finding, 'entity' | 'action'>, value: string | undefined): string {
    if (value === undefined) return placeholder(entity)
    if (action === 'partial') return partial(entity, value)
    if (action === 'hash') return this.#hashed(entity, value)
    if (action === 'pseudonymize') return this.#pseudonym(entity, value) ?? placeholder(entity)
    return placeholder(entity)
  }

  #hashed(entity: string, value: string): string {
    if (this.#key === undefined) return placeholder(entity)
    const digest = this.#key.digest('hash', entity, this.#normal(entity, value))
    return `[${entity}#${digest.toString('hex').slice(0, hashDigits)}]`
  }

  #pseudonym(entity: string, value: string): string | undefined {
    if (this.#traits.irreversible.has(entity)) return undefined
    const normal = this.#normal(entity, value)
    return this.#direction === 'prompt'
      ? this.#vault?.remember(entity, normal, value)
      : this.#vault?.tokenOf(entity, normal)
  }

  #normal(entity: string, value: string): string {
    return normalForm(value, this.#traits.compact.has(entity) ? 'compact' : 'plain')
  }
}
