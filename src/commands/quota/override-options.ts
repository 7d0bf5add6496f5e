import { InvalidArgumentError } from 'commander'

/** Which buckets of a limit: dimensions and their values. */
export type Matched = readonly (readonly [dimension: string, value: string])[]

/** `tenant=acme`, several times or with commas. */
export function matchOption(known: readonly string[]) {
  return (text: string, before: Matched = []): Matched => {
    const pairs = text.split(',').map((part) => {
      const [dimension = '', ...value] = part.split('=')
      return [dimension, value.join('=')] as const
    })
    const all = [...before, ...pairs]
    const isSound = pairs.every(([dimension, value]) => known.includes(dimension) && value !== '')
    if (isSound && new Set(all.map(([dimension]) => dimension)).size === all.length) return all
    throw new InvalidArgumentError(
      `Which buckets: tenant=acme, or tenant=acme,model=llama; of ${known.join(', ')}, each once.`,
    )
  }
}

const REASON_LENGTH_MAX = 500

/** It stands in the audit log. */
export function reasonOption(text: string): string {
  const reason = text.trim()
  if (reason.length >= 3 && reason.length <= REASON_LENGTH_MAX && !/\p{Cc}/u.test(reason)) return reason
  throw new InvalidArgumentError(`A reason has 3 to ${REASON_LENGTH_MAX} characters, on one line.`)
}
