/**
 * Form of the account part (BBAN) by country, as the SWIFT IBAN registry writes it: `n` digits, `a` letters, `c` either.
 * Its length and its classes tell an IBAN from other codes before any arithmetic.
 */
const registry =
  'AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n ' +
  'CY8n16c CZ20n DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n ' +
  'GI4a15c GL14n GR7n16c GT4c20c HN4a20n HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c ' +
  'KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD2c18c ME18n MK3n10c2n MN16n MR23n ' +
  'MT4a5n18c MU4a19n3a NI4a20n NL4a10n NO11n OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c ' +
  'SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR6n16c UA6n19c VA18n ' +
  'VG4a16n XK16n YE4a4n18c'

const entries = registry.split(' ')

/** The countries of the registry. */
export const ibanCountries: readonly string[] = entries.map((entry) => entry.slice(0, 2))

/** Value of a digit or letter as ISO 7064 reads it, 0 to 35, or -1 for anything else. */
function checkValue(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  const letter = (unit & 0xdf) - 65
  return letter >= 0 && letter < 26 ? letter + 10 : -1
}

/** A country as a number: letters of either case have the same. */
const countryKey = (first: number, second: number): number => checkValue(first) * 36 + checkValue(second)

/** By country, the class of every character of a compact IBAN. */
const forms: ReadonlyMap<number, string> = new Map(
  entries.map((entry) => {
    const bban = entry
      .slice(2)
      .replace(/(\d+)([nac])/g, (_, count: string, kind: string) => kind.repeat(Number(count)))
    return [countryKey(entry.charCodeAt(0), entry.charCodeAt(1)), `aann${bban}`]
  }),
)

const isLower = (unit: number): boolean => unit >= 97

/** How many digits and letters a slice has, or -1 where more than `max`, or letters of both cases. */
function countValues(text: string, start: number, end: number, max: number): number {
  const lower = isLower(text.charCodeAt(start))
  let count = 0
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    const value = checkValue(unit)
    if (value < 0) continue
    if (++count > max || (value >= 10 && isLower(unit) !== lower)) return -1
  }
  return count
}

/** The values of a slice that has `count` of them. */
function valuesOf(text: string, start: number, count: number): Uint8Array {
  const values = new Uint8Array(count)
  for (let index = start, at = 0; at < count; index++) {
    const value = checkValue(text.charCodeAt(index))
    if (value >= 0) values[at++] = value
  }
  return values
}

function followsForm(values: Uint8Array, form: string): boolean {
  for (let index = 0; index < values.length; index++) {
    const kind = form.charCodeAt(index)
    const isLetter = (values[index] as number) > 9
    if (kind === 110 ? isLetter : kind === 97 && !isLetter) return false
  }
  return true
}

/** Between the letters of a country nothing longer stands. */
const countryGapMax = 4

/** The class of every character of an IBAN that begins as `text.slice(start)` does, if a country begins so. */
function formAt(text: string, start: number): string | undefined {
  let index = start + 1
  while (index < start + countryGapMax && checkValue(text.charCodeAt(index)) < 0) index++
  const first = text.charCodeAt(start)
  const second = text.charCodeAt(index)
  return checkValue(first) < 10 || checkValue(second) < 10 ? undefined : forms.get(countryKey(first, second))
}

/**
 * How many characters the IBAN has that begins as `text.slice(start)` does; 0 where no country begins so. With it most
 * ends of a long candidate are refused without a look at them.
 */
export const ibanLength = (text: string, start: number): number => formAt(text, start)?.length ?? 0

/**
 * Whether the digits and letters of `text.slice(start, end)` have the form of their country and the check digits of
 * ISO 7064 mod 97-10. Whatever stands between them is passed over.
 */
export function isIban(text: string, start: number, end: number): boolean {
  const form = formAt(text, start)
  if (form === undefined || end - start < form.length) return false
  if (countValues(text, start, end, form.length) !== form.length) return false
  const values = valuesOf(text, start, form.length)
  if (!followsForm(values, form)) return false
  let remainder = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[(index + 4) % values.length] as number
    remainder = (remainder * (value < 10 ? 10 : 100) + value) % 97
  }
  return remainder === 1
}
