import type { DevPorts, DevUpstream } from './configuration.ts'

export interface GreetingParts extends DevPorts {
  readonly directory: string
  readonly version: string
  readonly upstream: DevUpstream
}

/** What a newcomer needs next: where it listens, one line that works, one that is refused, and where to look. */
export function greeting({ directory: folder, version, upstream, port, probesPort }: GreetingParts): string {
  const model = upstream.models[0] as string
  const what = upstream.secured === 'mutual-tls' ? 'simulated, over mutual TLS' : 'yours, over plain HTTP'
  const tls = `--cacert ${folder}/ca.crt --cert ${folder}/client.crt --key ${folder}/client.key`
  const url = `https://localhost:${port}/v1/chat/completions`
  const body = JSON.stringify({
    model,
    stream: true,
    messages: [{ role: 'user', content: 'My card is 4111 1111 1111 1111, write to jane.doe@example.com' }],
  })
  const json = "-H 'content-type: application/json'"
  return `
Sallyport ${version} is ready: mutual TLS, JWT roles, limits, redaction, audit and metrics are on.

  traffic   https://localhost:${port}   model "${model}" -> ${upstream.origin} (${what})
  probes    http://127.0.0.1:${probesPort}/readyz and /metrics
  made      ${folder}/: certificates, signing key, token (1 hour), config/ (edit it: changes take effect at once), audit/

This works, and neither the card nor the address reaches the model:

  curl -N ${tls} -H "authorization: Bearer $(cat ${folder}/token)" ${json} ${url} -d '${body}'

This is refused (401: the certificate is right, the token is missing):

  curl ${tls} ${json} ${url} -d '${body}'

Then: npm run sallyport -- token --help   |   npm run sallyport -- audit verify ${folder}/audit   |   Ctrl-C stops it.

`
}
