/** A gateway with limits that are about one tenant each, and what tests of limits ask of its replies. */
import { callerOf } from './flow.ts'
import { samplesOf } from './scene.ts'
import { type Stack, type StackOptions, startStack, until } from './stack.ts'

/** A limit for each tenant of its own name, by tenant, unless it says something else. */
export const perTenant = (limits: Readonly<Record<string, object>>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(limits).map(([tenant, rule]) => [
      tenant,
      { by: ['tenant'], where: { tenants: [tenant] }, ...rule },
    ]),
  )

interface Replied {
  readonly headers: { get(name: string): string | null }
}

/** What is left of a limit by the IETF header: `requests/minute`, `in_flight`. NaN when it is not told. */
export function remaining({ headers }: Replied, kind: string): number {
  const item = (headers.get('ratelimit') ?? '').split(', ').find((text) => text.startsWith(`"${kind}";`))
  return Number(/;r=(\d+)/.exec(item ?? '')?.[1])
}

export interface Metered {
  readonly stack: Stack
  readonly caller: ReturnType<typeof callerOf>
  as(tenant: string, role?: string): string
  sample(name: string): Promise<number>
  /** Until every exchange has ended and is settled. */
  idle(): Promise<void>
  stop(): Promise<void>
}

export async function startMetered(
  limits: Readonly<Record<string, object>>,
  { policies = {}, ...options }: StackOptions = {},
): Promise<Metered> {
  const stack = await startStack({ ...options, policies: { ...policies, limits: perTenant(limits) } })
  const caller = callerOf(stack)
  const sample = async (name: string): Promise<number> => samplesOf(await stack.metrics()).get(name) ?? 0
  return {
    stack,
    caller,
    as: (tenant, role = 'app') => stack.token({ tenant, roles: [role] }),
    sample,
    idle: () => until(async () => (await sample('sallyport_requests_in_flight')) === 0),
    stop: async () => {
      await caller.close()
      await stack.stop()
    },
  }
}
