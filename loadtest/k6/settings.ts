// What the runner (loadtest/load.ts) made ready for a scenario, handed over as a file.

/** Who calls. A weight of 3 calls three times as often as one of 1. */
export interface Caller {
  readonly tenant: string
  readonly role: string
  /** Holds the token that is good now. */
  readonly tokenFile: string
  readonly token: string
  readonly weight: number
}

export interface Settings {
  readonly scenario: string
  /** Where callers connect, without a path. */
  readonly urls: readonly string[]
  /** PEM files that callers show; of several the one that the gateway asks for. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[]
  readonly callers: readonly Caller[]
  /** Calls a second. */
  readonly rate: number
  readonly seconds: number
  /** Bounds of latency are multiplied by it: above 1 for a busy machine. */
  readonly latencyFactor: number
  /** Where summaries go. */
  readonly reportFolder: string
  /** Numbers and files of one scenario. */
  readonly facts: Readonly<Record<string, number>>
  readonly files: Readonly<Record<string, string>>
}

export const settings = JSON.parse(open(__ENV['SETTINGS'] ?? 'settings.json')) as Settings

/** A number that the runner set for this scenario. */
export function fact(name: string): number {
  const value = settings.facts[name]
  if (value === undefined) throw new Error(`the runner gave no ${name}`)
  return value
}
