/** A value counts as masked when no piece of this share of it is left. */
const pieceShare = 0.6

/** Whether a piece of `value` that is worth having is still in `masked`. */
export function isLeft(value: string, masked: string): boolean {
  const units = Math.max(1, Math.ceil(value.length * pieceShare))
  for (let from = 0; from + units <= value.length; from++)
    if (masked.includes(value.slice(from, from + units))) return true
  return false
}
