// The command line of the flood.
import { parseArgs } from 'node:util'

export const help = 'npm run bench:flood -- [--seconds N] [--factor N] [--connections N] [--json]\n'

export interface FloodOptions {
  /** Length of the flood. */
  readonly seconds: number
  /** Times the peak that is offered. */
  readonly factor: number
  /** Calls at a time that the gateway may have at one server; more than it has slots: the server queues, too. */
  readonly connectionsMax: number
  readonly json: boolean
}

/** Numbers outside of their bounds become the nearest bound. Throws a TypeError for an option that there is not. */
export function parseFloodOptions(args: readonly string[]): FloodOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '20' },
      factor: { type: 'string', default: '10' },
      connections: { type: 'string', default: '8' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    seconds: within(values.seconds, 4, 600),
    factor: within(values.factor, 1, 100),
    connectionsMax: within(values.connections, 1, 256),
    json: values.json,
  }
}

const within = (value: string, min: number, max: number): number =>
  Math.max(min, Math.min(max, Number(value)))
