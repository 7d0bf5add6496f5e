/** What tests need to know of the Markdown files: blocks, links, headings. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')
export const readDocument = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The documents of the project, by their paths from its root. */
export const documents = (): string[] => globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort()

export interface Block {
  /** From 1: the line of the opening fence. */
  readonly line: number
  readonly language: string
  readonly text: string
  /** The HTML comment on the line before. */
  readonly mark: string | undefined
  /** `expect:` comments on the lines after. */
  readonly expected: readonly string[]
}

const comment = /^<!-- (.+) -->$/

/** The fenced blocks of a document, in order. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const language = /^```(\S*)/.exec(lines[at] as string)?.[1]
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end === -1) throw new Error(`the block of line ${at + 1} does not end`)
    blocks.push({
      line: at + 1,
      language,
      text: lines.slice(at + 1, end).join('\n'),
      mark: comment.exec(lines[at - 1] ?? '')?.[1],
      expected: expectedAfter(lines, end + 1),
    })
    at = end
  }
  return blocks
}

function expectedAfter(lines: readonly string[], from: number): string[] {
  const expected: string[] = []
  for (let at = from; at < lines.length; at += 1) {
    const text = comment.exec(lines[at] as string)?.[1]
    if (!text?.startsWith('expect: ')) break
    expected.push(text.slice('expect: '.length))
  }
  return expected
}

/** Text outside fenced blocks. */
export const proseOf = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '')

/** The anchors that a link can name: headings as GitHub slugs them, and `<a id>`. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...proseOf(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, text]) =>
    (text as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
  const ids = [...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string)
  return new Set([...headings, ...ids])
}
