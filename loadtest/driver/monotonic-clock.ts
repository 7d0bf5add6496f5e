/**
 * Milliseconds of CLOCK_MONOTONIC, with a fraction. All processes of a machine share it; `performance.now()` begins anew in
 * each, and its `timeOrigin` is wall-clock time, which is corrected now and then.
 */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
