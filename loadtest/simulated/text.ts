import type { Random } from './random.ts'

const words =
  'the gate has two doors and only one of them is open at a time so a caller waits in between while the guard looks at the seal reads the letter counts the bags and then lets the inner door swing'.split(
    ' ',
  )

/** Cuts a text into the pieces that this server calls tokens: at most 8 characters, blanks lead. Joined, they are the text. */
export const tokenize = (text: string): string[] => text.match(/\s*\S{1,8}|\s+/gu) ?? []

/** Words without meaning, `count` tokens of them. */
export function randomTokens(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const word = words[Math.floor(random.next() * words.length)] as string
    return index === 0 ? word : ` ${word}`
  })
}
