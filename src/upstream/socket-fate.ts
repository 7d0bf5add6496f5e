import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * llama-server closes its connection after each streamed reply although it announced keep-alive, and uvicorn closes
 * idle ones after 5 s: a pooled socket can die just as the next request is written to it. Such a request may be sent
 * again, but only when the socket had served before and not one byte of this reply arrived. undici does not say which
 * socket a failed request was on; its diagnostics channels do.
 */
interface Sent {
  readonly socket: Socket
  readonly bytesReadAtSend: number
}

const sentByRequest = new WeakMap<object, Sent>()
const unansweredErrors = new WeakSet<object>()

diagnostics.subscribe('undici:client:sendHeaders', (message) => {
  const { request, socket } = message as { request: object; socket: Socket }
  sentByRequest.set(request, { socket, bytesReadAtSend: socket.bytesRead })
})

diagnostics.subscribe('undici:request:error', (message) => {
  const { request, error } = message as { request: object; error: unknown }
  const sent = sentByRequest.get(request)
  if (sent && typeof error === 'object' && error !== null && diedUnanswered(sent)) unansweredErrors.add(error)
})

const diedUnanswered = ({ socket, bytesReadAtSend }: Sent): boolean =>
  bytesReadAtSend > 0 && socket.bytesRead === bytesReadAtSend

/** Whether the request failed on a reused socket before a single byte of its reply had come. */
export const diedOnReusedSocket = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && unansweredErrors.has(error)
