/** A file that the configuration names, read but not usable. The message names the file and never quotes it. */
export class FileRefused extends Error {
  constructor(file: string, cause: unknown) {
    super(`${file}: ${cause instanceof Error ? cause.message : 'cannot be used'}`, { cause })
    this.name = 'FileRefused'
  }
}

/** Runs `use`; what it throws says which file was to blame. */
export function naming<Value>(file: string, use: () => Value): Value {
  try {
    return use()
  } catch (error) {
    throw new FileRefused(file, error)
  }
}
