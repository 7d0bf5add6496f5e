import { Type } from 'typebox'
import { oneOf, section } from './field.ts'

const words = (description: string) => Type.String({ description })
const count = (description: string) => Type.Integer({ description, minimum: 0 })
const ms = (description: string) => Type.Number({ description, minimum: 0 })

const endpoint = section('A model server.', {
  origin: words('Scheme, host and port.'),
  state: oneOf('`ejected`: left out; `probation`: one call at a time may try.', [
    'healthy',
    'ejected',
    'probation',
  ]),
  held_by: oneOf(
    'What keeps calls away; `none` beside another state than healthy: it is called all the same.',
    ['none', 'calls', 'probes'],
  ),
  share: Type.Number({
    description: 'Its part of the load beside the others, 0 to 1: below 1 while it warms up.',
  }),
  since_ms: ms('How long it has been in its state.'),
  wait_ms: ms('Until a call may try again; 0 unless it is ejected.'),
  failures: count('Failed calls in a row.'),
  ejections: count('Times that it was left out.'),
  in_flight: count('Calls of this replica that it has.'),
  limit: count('Calls of this replica that it may have at a time.'),
  load_tokens: Type.Number({ description: 'What it has to do, in tokens at the speed of its pool.' }),
})

const pool = section('A pool of model servers.', {
  name: words('Name in models.yaml.'),
  server: words('The software that serves.'),
  models: Type.Array(words('Public name of a model.'), { description: 'Models that are routed to it.' }),
  places: count('Calls that its servers may have at a time, all together.'),
  in_flight: count('Calls that they have.'),
  waiting: count('Calls that wait for a place.'),
  panic: Type.Boolean({ description: 'So few servers are healthy that failed ones are called, too.' }),
  endpoints: Type.Array(endpoint, { description: 'Its servers.' }),
})

/** What `GET /admin/v1/pools` answers. */
export const poolList = section('Pools of model servers, as this replica sees them.', {
  pools: Type.Array(pool, { description: 'In the order of models.yaml.' }),
})
