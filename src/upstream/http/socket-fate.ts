import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/**
 * llama-server closes its connection after each streamed reply although it announced keep-alive, and uvicorn closes
 * idle ones after 5 s: a pooled socket can die just as the next request is written to it. Such a request may be sent
 * again, but only when the socket had served before, not one byte of this reply arrived, and it was the connection
 * that ended, at once: a server that was silent until a time limit, or that died after working on the request, has
 * begun a generation, and a second one would double it (or kill the next server, too). undici does not say which
 * socket a failed request was on; its diagnostics channels do.
 */
interface Sent {
  readonly socket: Socket
  readonly bytesReadAtSend: number
  readonly sentAt: number
}

/** The close was under way before the request arrived: it is seen within a round trip, not after a while of work. */
const CLOSE_RACE_MS_MAX = 300
const closeErrors: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

const sentByRequest = new WeakMap<object, Sent>()
const unansweredErrors = new WeakSet<object>()
const unsentErrors = new WeakSet<object>()

diagnostics.subscribe('undici:client:sendHeaders', (message) => {
  const { request, socket } = message as { request: object; socket: Socket }
  sentByRequest.set(request, { socket, bytesReadAtSend: socket.bytesRead, sentAt: performance.now() })
})

diagnostics.subscribe('undici:request:error', (message) => {
  const { request, error } = message as { request: object; error: unknown }
  const sent = sentByRequest.get(request)
  if (sent === undefined) {
    // A throw in a listener of this channel would end the process.
    if (isObject(error)) unsentErrors.add(error)
  } else if (isClose(error) && lostTheRace(sent)) unansweredErrors.add(error)
})

const isObject = (error: unknown): error is object => typeof error === 'object' && error !== null

const isClose = (error: unknown): error is object =>
  isObject(error) && 'code' in error && closeErrors.has(error.code)

const lostTheRace = ({ socket, bytesReadAtSend, sentAt }: Sent): boolean =>
  bytesReadAtSend > 0 &&
  socket.bytesRead === bytesReadAtSend &&
  performance.now() - sentAt <= CLOSE_RACE_MS_MAX

/** Whether the request failed because a reused socket was being closed as it was sent. */
export const diedOnReusedSocket = (error: unknown): boolean => isObject(error) && unansweredErrors.has(error)

/** Whether the request failed before its head was written to a connection. */
export const wasNotSent = (error: unknown): boolean => isObject(error) && unsentErrors.has(error)
