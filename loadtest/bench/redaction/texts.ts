// Texts to measure speed with: chat as it is, and texts that cost a scanner the most.
import { readCorpus } from './corpus-files.ts'

const families = [
  'self-instruct-seeds',
  'gsm8k-test',
  'humaneval',
  'synthetic-fresh',
  'presidio-research-synth-v2',
]

/** Messages of chats, one in three with something sensitive in it, in an order that does not sort by origin. */
export function chatMessages(units: number): string[] {
  const lists = families.map((name) => readCorpus('dev', name).map(({ text }) => text))
  const messages: string[] = []
  for (let at = 0, length = 0; length < units; at++) {
    const list = lists[at % lists.length] as string[]
    const text = list[Math.floor(at / lists.length) % list.length] as string
    messages.push(text)
    length += text.length
  }
  return messages
}

/** `repeat('ab', 5)` is `ababa`. */
const repeat = (unit: string, units: number): string =>
  unit.repeat(Math.ceil(units / unit.length)).slice(0, units)

/** By name: runs without an end, candidates in candidates, and what makes regular expressions go back and forth. */
export const hostileTexts = (units: number): Readonly<Record<string, string>> => ({
  letters: repeat('a', units),
  'dotted letters': repeat('a.', units),
  dots: repeat('.', units),
  'spaced letters': repeat('a ', units),
  digits: repeat('1', units),
  'grouped digits': repeat('4111 1111-1111 ', units),
  'at signs': repeat('a@a.', units),
  'candidates in candidates': repeat('sk-ghp_AKIAeyJ', units),
  assignments: repeat('password=password:', units),
  'begins of keys': repeat('-----BEGIN PRIVATE KEY-----', units),
  'zero-width': repeat('4\u200b1\u200d', units),
  'base64 of everything': repeat('QUtJQUlPU0ZPRE5ON0VYQU1QTEU', units),
  escapes: repeat('\\u0034%34&#52;', units),
  'capitalized words': repeat('Anna Maria Dear ', units),
})
