/** What stops a part of the run without being a failure: a source that cannot be reached, a tool that is missing. */
export class NotRun extends Error {
  override readonly name = 'NotRun'
}

/** Progress, on standard error: standard output carries the results. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
