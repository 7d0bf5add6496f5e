// What a row of the comparison is: a gateway that can be found on this machine, started, and called.
import type { Launch } from './program.ts'

/** What all rows share: one model server, one set of certificates, one token. */
export interface World {
  /** Absolute path of a folder that is emptied at the end. */
  readonly folder: string
  readonly modelPort: number
  readonly tls: {
    readonly cert: string
    readonly key: string
    /** Certificate and key in one file. */
    readonly both: string
    readonly clientCa: string
  }
  readonly issuer: { readonly name: string; readonly audience: string; readonly jwks: string }
  readonly token: string
  /** A Node.js below Sallyport's security floor, which its configuration must name. */
  readonly allowedNode: string | undefined
}

export type Found = { readonly version: string } | { readonly missing: string }

export interface Plan extends Omit<Launch, 'cwd'> {
  /** Where it runs; the folder of the row when left out. */
  readonly cwd?: string
  /** Configuration files, by name: written into the folder of the row, and recorded with the results. */
  readonly files: Readonly<Record<string, string>>
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Place {
  readonly folder: string
  readonly port: number
}

export interface Row {
  readonly name: string
  readonly title: string
  /** What it does beside relaying, and what it does not. */
  readonly on: string
  readonly off: string
  /** Sensitive data is masked in prompts and replies: the bench checks that it is, or that it is not. */
  readonly redacts?: true
  /** How it is had, for `--list`; for the rows that do not come with the repository. */
  readonly had?: string
  find(): Promise<Found>
  plan(world: World, place: Place): Plan | Promise<Plan>
}
