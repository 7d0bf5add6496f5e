import type { Recognizer } from '../recognizer.ts'
import type { EntityTraits } from './replacer.ts'

/** A blank or a dash in a date or a coordinate tells it from another one. */
const isPlaced = /DATE|BIRTH|TIME|GEO|COORDINATE/

/** What replacement has to know of the entities of some recognizers. */
export function entityTraits(recognizers: readonly Recognizer[]): EntityTraits {
  const compact = recognizers.filter(
    ({ entity, category, family }) =>
      (family === 'digits' || family === 'shape') && category !== 'network' && !isPlaced.test(entity),
  )
  const secret = recognizers.filter(({ category }) => category === 'secret')
  return {
    compact: new Set(compact.map(({ entity }) => entity)),
    irreversible: new Set(secret.map(({ entity }) => entity)),
  }
}
