import { randomUUIDv7 } from 'node:crypto'

/** A new exchange id: UUIDv7 (RFC 9562), so that records and logs sort by time of arrival. */
export const newExchangeId = (): string => randomUUIDv7()
