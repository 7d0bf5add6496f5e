/** Zero-width space and joiners, word joiner, byte order mark, soft hyphen: nobody sees them inside a value. */
const invisible = /[\u00ad\u200b-\u200d\u2060\ufeff]/
const everyInvisible = new RegExp(invisible, 'g')

/** How many of them one value may hold before they count as text. */
export const invisibleUnitsMax = 64

export const isInvisible = (unit: number): boolean =>
  unit === 0xad || (unit >= 0x200b && (unit <= 0x200d || unit === 0x2060 || unit === 0xfeff))

export const hasInvisible = (text: string): boolean => invisible.test(text)

/** The text that is seen. */
export const visible = (text: string): string => text.replace(everyInvisible, '')
