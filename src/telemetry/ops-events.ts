import { isIP } from 'node:net'
import { cleanText } from './clean-text.ts'
import { failureFrames, failureLines } from './failure-lines.ts'
import type { Log } from './log.ts'

export interface OpsAnswered {
  readonly operation: string
  readonly status: number
  readonly requestId: string
  readonly principal?: string | undefined
  readonly tenant?: string | undefined
  readonly remoteAddress?: string | undefined
  readonly refusal?: string | undefined
  readonly detail?: string | undefined
  readonly durationMs: number
}

/** What a document of the store is called, when its name is one that operators can give. */
const documentName = /^(?:quota|override)\/[A-Za-z0-9._-]{1,170}$/

/** What operators set, and who asks for it. */
export function opsEvents({ write }: Log) {
  const errorFields = (error: unknown) => ({ error: failureLines(error), at: failureFrames(error) })
  return {
    /** The one line of a request to the operators' listener. */
    opsAnswered({ operation, status, remoteAddress, ...said }: OpsAnswered): void {
      write(status >= 500 ? 'error' : 'info', 'ops.answered', `${operation} ${status}`, {
        request_id: said.requestId,
        operation,
        status,
        refusal: said.refusal,
        detail: said.detail,
        principal: said.principal,
        tenant: said.tenant,
        remote: remoteAddress !== undefined && isIP(remoteAddress) > 0 ? remoteAddress : undefined,
        duration_ms: said.durationMs,
      })
    },
    /** A quota or an override of the store cannot be read, or does not fit the configuration. */
    limitDocumentRejected(name: string, fault: string): void {
      const document = documentName.test(name) ? name : '_other'
      const message = `${document} does not count as it is`
      write('warn', 'limits.document_rejected', message, { document, fault: cleanText(fault).slice(0, 200) })
    },
    /** What operators set cannot be had: what was read last stays in force. */
    limitsUnreadable(error: unknown): void {
      write(
        'warn',
        'limits.unreadable',
        'quotas and overrides cannot be read, the last ones count',
        errorFields(error),
      )
    },
  }
}
