import { availableParallelism } from 'node:os'
import type { Config } from '../../config/load.ts'
import { type Check, ok, warning } from './check.ts'

const NAME = 'workers'

/** Whether there is a core for each worker. Says nothing of a gateway of one process. */
export function checkWorkers({ gateway: { workers } }: Config, cores = availableParallelism()): Check[] {
  if (workers === 1) return []
  const detail = `${workers} workers and a primary process on ${cores} cores`
  if (workers <= cores) return [ok(NAME, detail)]
  return [
    warning(NAME, detail, `They wait for one another: set workers in gateway.yaml to ${cores} at most.`),
  ]
}
