import { error, type Finding, warning } from '../problem.ts'
import type { QuotaConfig } from '../schema/quota.ts'
import type { Sections } from '../sections.ts'

const loopback = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]):[0-9]+$/

/** Stores that contradict each other, and state that would not outlive the process. */
export const quotaFindings = ({ gateway, policies }: Sections): Finding[] => [
  ...storeFindings(gateway.quota),
  ...(gateway.quota.redis === undefined ? [] : redisFindings(gateway.quota.redis)),
  ...forgetting(gateway.quota, policies),
]

function storeFindings({ directory, redis }: QuotaConfig): Finding[] {
  return directory === undefined || redis === undefined
    ? []
    : [error('gateway', ['quota', 'directory'], 'has no meaning beside redis: leave one of them out')]
}

function redisFindings(redis: NonNullable<QuotaConfig['redis']>): Finding[] {
  const findings: Finding[] = []
  const remote = redis.addresses.filter((address) => !loopback.test(address))
  if (redis.tls === undefined && redis.plaintext === undefined && remote.length > 0)
    findings.push(
      error(
        'gateway',
        ['quota', 'redis', 'tls'],
        'is missing: names of tenants would cross the network in clear; or say `plaintext: allowed`',
      ),
    )
  if ((redis.mode === 'sentinel') !== (redis.masterName !== undefined))
    findings.push(
      error('gateway', ['quota', 'redis', 'masterName'], 'goes with `mode: sentinel`, and only with it'),
    )
  if (redis.mode === 'standalone' && redis.addresses.length > 1)
    findings.push(
      error(
        'gateway',
        ['quota', 'redis', 'addresses'],
        'has several servers: `mode` is sentinel or cluster then',
      ),
    )
  return findings
}

function forgetting({ directory, redis }: QuotaConfig, { limits = {} }: Sections['policies']): Finding[] {
  const budgets = Object.entries(limits).filter(([, { per }]) => per === 'day' || per === 'month')
  return directory !== undefined || redis !== undefined || budgets.length === 0
    ? []
    : [
        warning(
          'gateway',
          ['quota'],
          'has neither directory nor redis: budgets begin anew at every start of the gateway',
        ),
      ]
}
