/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** What was found. */
  readonly detail: string
  /** What to do about it; with every state but `ok`. */
  readonly advice?: string
}

export const ok = (name: string, detail: string): Check => ({ name, state: 'ok', detail })
export const warning = (name: string, detail: string, advice: string): Check => ({
  name,
  state: 'warning',
  detail,
  advice,
})
export const failed = (name: string, detail: string, advice: string): Check => ({
  name,
  state: 'failed',
  detail,
  advice,
})

/** One line a check, and what to do below those that need it; the same advice once for several in a row. */
export function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lines = checks.flatMap(({ name, state, detail, advice }, index) => {
    const line = `${state.padEnd(7)}  ${name.padEnd(width)}  ${detail}`
    const last = advice !== undefined && checks[index + 1]?.advice !== advice
    return last ? [line, `${' '.repeat(width + 11)}-> ${advice}`] : [line]
  })
  const count = (wanted: Check['state']): number => checks.filter(({ state }) => state === wanted).length
  return `${lines.join('\n')}\n${count('failed')} failed, ${count('warning')} to look at, ${count('ok')} ok\n`
}
