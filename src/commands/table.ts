import { styleText } from 'node:util'
import { plain } from './plain-text.ts'

type Format = Parameters<typeof styleText>[0]

export interface Cell {
  readonly text: string
  readonly format?: Format
}

export interface Column {
  readonly title: string
  /** Numbers stand at the right. */
  readonly align?: 'right'
}

export interface TableOptions {
  /** Columns of the terminal: longer lines are cut. Left out: nothing is. */
  readonly width?: number
  readonly paint?: Paint
}

export type Paint = (format: Format, text: string) => string

export const noPaint: Paint = (_format, text) => text
/** For a terminal that is known to show colors. */
export const paint: Paint = (format, text) => styleText(format, text, { validateStream: false })

const GAP = '  '

/** Lines of a table: titles, then a line for each row. Cells are made `plain`; no line ends in spaces. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly (string | Cell)[])[],
  { width = Number.POSITIVE_INFINITY, paint = noPaint }: TableOptions = {},
): string[] {
  const lines = [columns.map(({ title }) => ({ text: title, format: 'bold' as const })), ...rows].map((row) =>
    columns.map((_, index) => cellOf(row[index])),
  )
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index]?.text ?? ''))))
  return lines.map((line) => lineText(line, columns, widths, { width, paint }))
}

/** The same as text, each line with its newline. */
export const table = (...args: Parameters<typeof tableLines>): string =>
  tableLines(...args)
    .map((line) => `${line}\n`)
    .join('')

const cellOf = (cell: string | Cell | undefined): Cell =>
  typeof cell === 'object' ? { ...cell, text: plain(cell.text) } : { text: plain(cell ?? '') }

function lineText(
  cells: readonly Cell[],
  columns: readonly Column[],
  widths: readonly number[],
  { width, paint }: Required<TableOptions>,
): string {
  let left = width
  let line = ''
  for (const [index, cell] of cells.entries()) {
    if (left <= 0) break
    const gap = index === 0 ? '' : GAP
    const padding = ' '.repeat((widths[index] ?? 0) - widthOf(cell.text))
    const padded = columns[index]?.align === 'right' ? padding + cell.text : cell.text + padding
    const shown = cut(gap + padded, left)
    left -= widthOf(shown)
    line += cell.format === undefined ? shown : paint(cell.format, shown)
  }
  return paint === noPaint ? line.trimEnd() : line
}

/** Ideographs, Hangul, full-width forms and emoji take two columns. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ascii = /^[\x20-\x7e]*$/

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  if (ascii.test(text)) return text.length
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + (wide.test(segment) ? 2 : 1), 0)
}

/** The text on at most so many columns; what is left out is marked. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let shown = ''
  let left = columns - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= wide.test(segment) ? 2 : 1
    if (left < 0) break
    shown += segment
  }
  return columns <= 0 ? '' : `${shown}…`
}
