/** What a run leaves behind as JSON: all that the tables are made from. */

export interface Sample {
  readonly row: string
  readonly round: number
  readonly load: string
  readonly completed: number
  readonly failures: number
  readonly failure?: string
  readonly seconds: number
  /** CPU time of the gateway, all its processes, milliseconds. */
  readonly cpuMs: number
  /** That of the simulated model server and of the load generator in the same time. */
  readonly modelCpuMs: number
  readonly generatorCpuMs: number
  readonly rssMiB: number
}

export interface Latency {
  readonly row: string
  readonly round: number
  /** As asked for: a number a second, or `half` of what the row bore in a closed loop. */
  readonly rate: string
  readonly perSecond: number
  readonly dropped: number
  readonly failures: number
  readonly failure?: string
  readonly gateway: Quantiles
  readonly direct: Quantiles
}

export interface Quantiles {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface MeasuredRow {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly on: string
  readonly off: string
  /** `..` is the temporary folder of the run, `.` the row's own in it. */
  readonly command: string
  readonly files: Readonly<Record<string, string>>
  readonly idleRssMiB: number
}

export interface AbsentRow {
  readonly name: string
  readonly title: string
  readonly reason: string
}

export interface Results {
  readonly taken: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly kernel: string
    readonly node: string
    readonly loadAverage: number
  }
  readonly options: {
    readonly rounds: number
    readonly quick: boolean
    /** As on the command line. */
    readonly loads: string
    readonly rates: string
  }
  readonly rows: readonly MeasuredRow[]
  readonly absent: readonly AbsentRow[]
  readonly samples: readonly Sample[]
  readonly latencies: readonly Latency[]
}
