import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Config } from '../../config/load.ts'
import { type Check, failed, ok, warning } from './check.ts'

const NAME = 'limits'
const TIMEOUT_MS = 3_000

/** Whether the state of limits can be kept where the configuration says. Reads and connects, and changes nothing. */
export async function checkQuota({ gateway }: Config): Promise<Check[]> {
  const { directory, redis } = gateway.quota
  if (redis !== undefined) return Promise.all(redis.addresses.map(checkAddress))
  if (directory === undefined)
    return [ok(NAME, 'in memory: rates, slots and budgets begin anew at every start')]
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    return [ok(NAME, `${directory} can be written`)]
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return [
      failed(NAME, `${directory}: ${code ?? message}`, 'Make the folder, writable for this user alone.'),
    ]
  }
}

/** A gateway starts without Redis, too; then limits are kept in shares from the beginning. */
async function checkAddress(address: string): Promise<Check> {
  const reason = await unreachable(address)
  return reason === undefined
    ? ok(NAME, `Redis at ${address} takes connections`)
    : warning(
        NAME,
        `Redis at ${address}: ${reason}`,
        'Start it, or mend quota.redis.addresses in gateway.yaml.',
      )
}

function unreachable(address: string): Promise<string | undefined> {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connect({ host, port: Number(address.slice(colon + 1)) })
  socket.setTimeout(TIMEOUT_MS, () => resolve(`no answer within ${TIMEOUT_MS} ms`))
  socket.once('connect', () => resolve(undefined))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  return promise.finally(() => socket.destroy())
}
