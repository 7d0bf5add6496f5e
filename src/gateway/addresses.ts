import type { AddressInfo } from 'node:net'

/** Fastify opens a second listener for `localhost`, one that nothing here guards: an address is one listener. */
export const addressOf = ({ host, port }: { readonly host: string; readonly port: number }) => ({
  host: host === 'localhost' ? '127.0.0.1' : host,
  port,
})

/** Where a listener that is open can be reached. */
export function originOf(scheme: 'http' | 'https', address: string | AddressInfo | null): string {
  const { address: host, port, family } = address as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${host}]` : host}:${port}`
}
