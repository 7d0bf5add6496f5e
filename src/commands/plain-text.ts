/**
 * Text of others for a terminal. Control characters could move the cursor, change its title or answer back as if
 * typed; format characters (bidirectional overrides, zero width) could show something else than what is there.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const escaped = (character: string): string =>
  `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`

/** On one line, with every control and format character spelled out. */
export const plain = (text: string): string => text.toWellFormed().replaceAll(unsafe, escaped)

/** JSON for a person or a program: no character of it means anything to a terminal, and it reads back the same. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replaceAll(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, utf16Escaped)}\n`

/** Characters beyond the first plane are two escapes in JSON. */
const utf16Escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
