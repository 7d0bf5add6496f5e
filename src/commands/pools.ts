import { jsonText } from './plain-text.ts'
import { type Fields, listOf, many, number, text } from './quota/answer-fields.ts'
import { type ConnectionOptions, withClient } from './quota/connection.ts'
import type { JsonOption } from './quota/list.ts'
import { duration } from './quota/units.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'
import { type Cell, table } from './table.ts'

const columns = [
  { title: 'POOL' },
  { title: 'SERVER' },
  { title: 'STATE' },
  { title: 'SINCE', align: 'right' },
  { title: 'SHARE', align: 'right' },
  { title: 'CALLS', align: 'right' },
  { title: 'LIMIT', align: 'right' },
  { title: 'LOAD', align: 'right' },
  { title: 'LEFT OUT', align: 'right' },
  { title: 'WAITING', align: 'right' },
] as const

/** `sallyport pools`: the model servers of a gateway that runs, and how they are. */
export async function pools(
  { json, ...connection }: JsonOption & ConnectionOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { body } = await withClient(connection, surroundings, (client) =>
    client.ask('GET', '/admin/v1/pools'),
  )
  const rows = listOf(body, 'pools', rowsOf).flat()
  const { out } = surroundings
  if (json) out(jsonText(body))
  else out(rows.length === 0 ? 'There are no model servers.\n' : table(columns, rows))
  return exitCodes.ok
}

function rowsOf(pool: Fields): (string | Cell)[][] {
  const name = pool['panic'] === true ? `${text(pool['name'])} (panic)` : text(pool['name'])
  const waiting = text(pool['waiting'])
  const rows = many(pool['endpoints'], (endpoint) => rowOf(name, waiting, endpoint))
  return rows.length > 0 ? rows : [[name, '(none is known)', '-', '-', '-', '-', '-', '-', '-', waiting]]
}

const rowOf = (pool: string, waiting: string, endpoint: Fields): (string | Cell)[] => [
  pool,
  text(endpoint['origin']),
  stateOf(endpoint),
  duration(number(endpoint['since_ms'])),
  `${Math.round(number(endpoint['share']) * 100)} %`,
  text(endpoint['in_flight']),
  text(endpoint['limit']),
  text(endpoint['load_tokens']),
  `${text(endpoint['ejections'])} x`,
  waiting,
]

function stateOf(endpoint: Fields): string {
  const state = text(endpoint['state'])
  const heldBy = text(endpoint['held_by'])
  if (state === 'healthy' || heldBy === '') return state
  if (heldBy === 'none') return `${state}, called all the same`
  const wait = number(endpoint['wait_ms'])
  return wait > 0 ? `${state} by ${heldBy}, ${duration(wait)} more` : `${state} by ${heldBy}`
}
