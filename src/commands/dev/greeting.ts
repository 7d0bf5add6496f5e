import type { DevPorts, DevUpstream } from './configuration.ts'
import { opsProfileFile } from './names.ts'

export interface GreetingParts extends DevPorts {
  readonly directory: string
  readonly version: string
  readonly upstream: DevUpstream
}

/** What a newcomer needs next: where it listens, one line that works, one that is refused, and where to look. */
export function greeting(parts: GreetingParts): string {
  const { directory: folder, version, upstream, port, probesPort, opsPort } = parts
  const what = upstream.secured === 'mutual-tls' ? 'simulated, over mutual TLS' : 'yours, over plain HTTP'
  const { works, refused } = commands(parts)
  return `
Sallyport ${version} is ready: mutual TLS, JWT roles, limits, redaction, audit and metrics are on.

  traffic   https://localhost:${port}   model "${upstream.models[0]?.name}" -> ${upstream.origin} (${what})
  probes    http://127.0.0.1:${probesPort}/readyz and /metrics
  operators https://localhost:${opsPort}   npm run -s sallyport -- quota list${directoryOption(folder)}
  made      ${folder}/: certificates, signing key, token (1 hour), config/ (edit it: changes take effect at once), audit/

This works, and neither the card nor the address reaches the model:

  ${works}

This is refused (401: the certificate is right, the token is missing):

  ${refused}

Then: npm run -s sallyport -- token --help   |   npm run -s sallyport -- audit verify ${quoted(`${folder}/audit`)}   |   Ctrl-C stops it.

`
}

/** The same for programs, as one line of JSON. */
export function readyLine(parts: GreetingParts): string {
  const { directory, version, upstream, port, probesPort, opsPort } = parts
  return `${JSON.stringify({
    event: 'dev.ready',
    version,
    directory,
    traffic: `https://localhost:${port}`,
    probes: `http://127.0.0.1:${probesPort}`,
    ops: `https://localhost:${opsPort}`,
    profile: `${directory}/${opsProfileFile}`,
    upstream: upstream.origin,
    models: upstream.models.map(({ name }) => name),
    commands: commands(parts),
  })}\n`
}

function commands({ directory, upstream, port }: GreetingParts): { works: string; refused: string } {
  const file = (name: string): string => quoted(`${directory}/${name}`)
  const tls = `--cacert ${file('ca.crt')} --cert ${file('client.crt')} --key ${file('client.key')}`
  const token = `-H "authorization: Bearer $(cat ${file('token')})"`
  const rest = `-H 'content-type: application/json' https://localhost:${port}/v1/chat/completions -d '${body(upstream)}'`
  return { works: `curl -N ${tls} ${token} ${rest}`, refused: `curl ${tls} ${rest}` }
}

const body = ({ models }: DevUpstream): string =>
  JSON.stringify({
    model: models[0]?.name,
    stream: true,
    messages: [{ role: 'user', content: 'My card is 4111 1111 1111 1111, write to jane.doe@example.com' }],
  })

/** The commands of operators look into the folder of `npm start` by themselves. */
const directoryOption = (folder: string): string =>
  folder === '.sallyport' ? '' : ` --directory ${quoted(folder)}`

/** For a shell: a folder's name may hold anything. */
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
