import type { Terminal } from './terminal.ts'

/** What a command gets from the process: never read from globals, so that a test can run it. */
export interface Surroundings {
  /** `SALLYPORT_UPSTREAM`: a model server to put `dev` in front of, instead of the simulated one. */
  readonly upstream: string | undefined
  /** For `quota` and `why`. */
  readonly ops?: OpsEnvironment
  /** Left out: nobody looks, and nobody can be asked. */
  readonly terminal?: Terminal
  out(text: string): void
  err(text: string): void
  exit(code: ExitCode): void
}

export interface OpsEnvironment {
  /** `SALLYPORT_OPS_PROFILE`: a file that names the gateway, the certificate and the token. */
  readonly profile?: string | undefined
  /** `SALLYPORT_OPS_TOKEN`: the token itself, for a pipeline that has no file for it. */
  readonly token?: string | undefined
}

/** Documented in docs/reference/command-line.md. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, config: 3, verification: 4 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** An error that says all there is to say: its message is shown without a stack. */
export class CommandFailed extends Error {
  readonly code: ExitCode

  constructor(message: string, code: ExitCode = exitCodes.failed) {
    super(message)
    this.name = 'CommandFailed'
    this.code = code
  }
}
