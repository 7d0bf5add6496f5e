/** The unit of every metric of time; what is not known stays so. */
export const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / 1000
