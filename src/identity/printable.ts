// ASCII only: OpenID Connect demands it of `sub`, and two names that look alike can then never be two principals.
const printable = /^[!-~](?:[ -~]*[!-~])?$/

/** Whether a value is a string of printable ASCII, 1 to `lengthMax` characters, without outer spaces: safe to log. */
export const isPrintable = (value: unknown, lengthMax: number): value is string =>
  typeof value === 'string' && value.length <= lengthMax && printable.test(value)
