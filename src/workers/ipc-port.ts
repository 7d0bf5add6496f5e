import type { Serializable } from 'node:child_process'

/** One end of the channel between the primary process and a worker. Messages are JSON and keep their order. */
export interface IpcPort {
  /** Calls back when the message has left this process, or never will. Never throws. */
  send(message: object, left: () => void): void
  onMessage(listener: (message: unknown) => void): void
  /** After the last message: the process at the other end has gone, or let go. */
  onClose(listener: () => void): void
}

/** What a process and a child process have in common. */
interface Endpoint {
  readonly connected: boolean
  send?(
    message: Serializable,
    handle: undefined,
    options: undefined,
    sent: (error: Error | null) => void,
  ): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/** The channel of this process to its primary, or of a child process to us. */
export function portOf(endpoint: unknown): IpcPort {
  const end = endpoint as Endpoint
  return {
    send: (message, left) => {
      // With a callback Node tells it of a closed channel; without one that would be an uncaught error.
      if (end.connected) end.send?.(message, undefined, undefined, left)
      else left()
    },
    onMessage: (listener) => void end.on('message', listener),
    onClose: (listener) => void end.on('disconnect', listener),
  }
}
