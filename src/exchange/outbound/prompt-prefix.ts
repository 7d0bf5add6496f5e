import type { Permit } from '../../policy/permit.ts'
import type { EndpointPool } from '../../upstream/pool.ts'
import type { ScreenedCall } from '../inbound/screen-prompt.ts'

/** What the prompt of a call begins with, as a server of this pool reads it. */
export const promptPrefix = (
  pool: EndpointPool,
  { call }: Pick<ScreenedCall, 'call'>,
  { model, principal }: Permit,
): readonly number[] =>
  pool.prefixOf([principal.tenant, model, call.endpoint], () => call.texts.map(({ text }) => text))
