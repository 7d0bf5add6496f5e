/** When one server is left out, and how it comes back. */
export interface HealthBounds {
  /** So many failed calls in a row eject it. From 1. */
  readonly failuresMax: number
  /** So many failed probes in a row eject it, calls or none. From 1. */
  readonly probeFailuresMax: number
  /** The first wait before one call may try again; doubled with each further ejection. */
  readonly ejectionMs: number
  /** The longest such wait. */
  readonly ejectionMsMax: number
  /** Healthy for so long, its next ejection is a first one again. */
  readonly healthyMs: number
  /** In probation, a call that has not ended after this time no longer keeps the next one from going. */
  readonly probationMs: number
  /** From the first share to the full one. 0: at once. */
  readonly slowStartMs: number
  /** The first share, above 0 and up to 1. */
  readonly slowStartFloor: number
}

export const healthBounds: HealthBounds = {
  failuresMax: 5,
  probeFailuresMax: 3,
  ejectionMs: 1_000,
  ejectionMsMax: 60_000,
  healthyMs: 60_000,
  probationMs: 5_000,
  slowStartMs: 10_000,
  slowStartFloor: 0.1,
}
