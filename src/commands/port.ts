import { createServer } from 'node:net'

/** Whether something could listen there now; the error's code when not, such as `EADDRINUSE`. */
export async function tryPort(host: string, port: number): Promise<'free' | string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  server.listen({ host, port }, () => server.close(() => resolve('free')))
  return await promise
}
