import { strict as assert } from 'node:assert'
import type { Bench } from '../bench.ts'

/** After everything: each exchange has one ending, nothing is open, no value was written down. Ends the gateway. */
export async function accountingChecks(
  { section, front }: Pick<Bench, 'section' | 'front'>,
  secrets: readonly string[],
): Promise<void> {
  await section.check('every exchange was settled and recorded exactly once', async () => {
    const endings = await front.settled()
    section.tokens = endings.reduce((sum, { output_tokens: tokens = 0 }) => sum + tokens, 0)
    const ids = endings.map(({ request_id: id }) => id)
    assert.equal(new Set(ids).size, ids.length, 'an exchange has two endings')
    const admitted = front.audit().filter(({ event }) => event === 'exchange.admitted')
    assert.equal(new Set(admitted.map(({ request_id: id }) => id)).size, admitted.length)
    assert.equal(await front.metric('sallyport_requests_total'), endings.length, 'metrics and audit differ')
    assert.equal(await front.metric('sallyport_active_streams'), 0)
    return `${endings.length} exchanges, ${admitted.length} of them reached the server`
  })
  await section.check('the gateway drains and ends with 0', async () => {
    assert.equal(await front.stop(), 0)
    return undefined
  })
  await section.check('the audit log verifies', async () => {
    assert.match(await front.verifyAudit(), /: intact/)
    return `${front.audit().length} records`
  })
  await section.check('no planted value is in the log or the audit', async () => {
    const written = front.log() + JSON.stringify(front.audit())
    assert.deepEqual(
      secrets.filter((secret) => written.includes(secret)),
      [],
    )
    return `${(written.length / 1024).toFixed(0)} KiB searched`
  })
}
