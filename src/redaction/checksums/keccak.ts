import { getHashes, hash } from 'node:crypto'

/** Absent where Node.js runs with an OpenSSL before 3.2, or in FIPS mode. */
const isAvailable = getHashes().includes('keccak-256')

/**
 * Keccak-256 as Ethereum and Monero use it: with the padding of the submission, not that of SHA-3 (FIPS 202).
 * Undefined where the platform has none: then no checksum can be looked at.
 */
export const keccak256 = (input: Uint8Array): Uint8Array | undefined =>
  isAvailable ? hash('keccak-256', input, 'buffer') : undefined
