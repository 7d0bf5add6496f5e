import { InvalidArgumentError } from 'commander'

/** A positive number; cost has up to nine decimals. */
export function amountOption(text: string): number {
  const value = /^\d{1,13}(?:\.\d{1,9})?$/.test(text) ? Number(text) : 0
  if (value > 0) return value
  throw new InvalidArgumentError('An amount is a number above 0, written out: 100000, or 2.5 for cost.')
}

export function burstOption(text: string): number | 'default' {
  if (text === 'default') return text
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (value > 0) return value
  throw new InvalidArgumentError('A burst is a whole number above 0, or default.')
}

/** `tenant,model`; `none`: one bucket for everybody. */
export function byOption(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const words = text === 'none' ? [] : text.split(',')
    if (words.every((word) => known.includes(word))) return words
    throw new InvalidArgumentError(`Buckets are told apart by some of ${known.join(',')}; or none.`)
  }
}
