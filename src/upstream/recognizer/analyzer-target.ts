const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** The address, if texts may be sent there. Throws for any other. */
export function analyzerTarget(url: string): URL {
  const target = new URL(url)
  const isPlain = target.protocol === 'http:' && loopback.test(target.hostname)
  if (target.protocol !== 'https:' && !isPlain)
    throw new TypeError('a recognizer service is https, or plain http on this machine')
  if (target.username !== '' || target.password !== '' || target.hash !== '')
    throw new TypeError('the address of a recognizer service holds no credentials and no fragment')
  return target
}

/** Why texts may not be sent there; `undefined` when they may. */
export function analyzerUrlFault(url: string): string | undefined {
  try {
    analyzerTarget(url)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
