/** The rows, in the order of the tables. */
import { gomodel, litellm, portkey } from './gateways.ts'
import { bare, envoy, haproxy, nginx } from './proxies.ts'
import type { Row } from './row.ts'
import { sallyportRows } from './sallyport.ts'

export const rows: readonly Row[] = [nginx, haproxy, envoy, bare, ...sallyportRows, portkey, litellm, gomodel]
