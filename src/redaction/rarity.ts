/** Whether a token holds a digit or mixes cases: `xxxx`, `your-key-here` and `YOUR_KEY` do not. */
export function looksRandom(text: string, start: number, end: number): boolean {
  let upper = false
  let lower = false
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 48 && unit <= 57) return true
    upper ||= unit >= 65 && unit <= 90
    lower ||= unit >= 97 && unit <= 122
  }
  return upper && lower
}
