/** Class members and pattern pieces that several recognizers share. */
export const alphanumeric = 'A-Za-z0-9'
export const digits = '0-9'

/** `unit` between `min` and `max` times; the subset counts single classes only, so it is written out. */
export const times = (unit: string, min: number, max: number): string =>
  unit.repeat(min) + `(${unit}`.repeat(max - min) + ')?'.repeat(max - min)
