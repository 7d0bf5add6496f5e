/** What nobody sees in a value. */
const unseen = /\p{Default_Ignorable_Code_Point}/gu
const separators = /[\s.\-/()\u2010-\u2015]/g

/**
 * What two spellings of one value have in common. `compact` values are numbers in which separators mean nothing; in all
 * others (a date, an address of a host) they tell values apart, and only case and blanks are leveled.
 */
export function normalForm(value: string, spelling: 'compact' | 'plain'): string {
  const level = value.normalize('NFKC').replace(unseen, '').toLowerCase()
  return spelling === 'compact' ? level.replace(separators, '') : level.replace(/\s+/g, ' ').trim()
}
