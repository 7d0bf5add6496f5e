// JSON in one line: node:readline also ends a line at these two characters, which JSON leaves as they are.
export const jsonLine = (value: object): string =>
  `${JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`

/** Milliseconds of the processor that this thread has had: other programs on the machine do not count. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
