import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkRuntime } from '../../config/runtime.ts'
import { configFolder, devAudience, devIssuer, pseudonymKeyFile } from './names.ts'

export interface DevModel {
  /** What callers write. */
  readonly name: string
  /** What the model server calls it. */
  readonly upstreamModel: string
}

export interface DevUpstream {
  readonly origin: string
  readonly server: 'vllm' | 'sglang' | 'llamacpp' | 'tgi' | 'openai'
  readonly models: readonly DevModel[]
  /** The simulated server asks for a client certificate and a key, as a real one should. */
  readonly secured: 'mutual-tls' | 'none'
}

export interface DevPorts {
  readonly port: number
  readonly probesPort: number
  readonly opsPort: number
}

const HEAD =
  '# Made by `npm start`; made anew at the next one. Edit it while the gateway runs: changes take effect at once.\n'

/** Writes the four files of the configuration: the same kind that production uses, with everything on. */
export function writeConfiguration(directory: string, ports: DevPorts, upstream: DevUpstream): void {
  const files = {
    'gateway.yaml': gatewayYaml(ports),
    'models.yaml': modelsYaml(upstream),
    'policies.yaml': policiesYaml,
    'redaction.yaml': redactionYaml,
  }
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(directory, configFolder, file), HEAD + text, { mode: 0o600 })
  }
}

const runtimeYaml = (): string =>
  checkRuntime(process.versions.node).supported
    ? ''
    : `runtime:\n  allowUnsupportedNode: ${process.versions.node}\n`

const gatewayYaml = ({ port, probesPort, opsPort }: DevPorts): string => `traffic:
  host: 127.0.0.1
  port: ${port}
  tls:
    certificate: tls/server.crt
    key: tls/server.key
    clientCa: tls/client-ca.crt
    crl: [tls/client-ca.crl]
probes:
  port: ${probesPort}
ops:
  port: ${opsPort}
identity:
  revocations: revocations.json
  issuers:
    - name: dev
      issuer: ${devIssuer}
      audience: ${devAudience}
      algorithms: [ES256]
      keys: {file: issuer.jwks.json}
      claims:
        tenant: [tenant]
        roles: [roles]
audit:
  directory: ../audit
quota:
  directory: ../quota
drain:
  delayMs: 0
  deadlineMs: 5000
${runtimeYaml()}`

function modelsYaml({ origin, server, models, secured }: DevUpstream): string {
  const tls =
    secured === 'mutual-tls'
      ? `    tls: {ca: tls/upstream-ca.crt, certificate: tls/upstream-client.crt, key: tls/upstream-client.key}
    apiKeyFile: upstream.key
`
      : `    plaintext: allowed
`
  const unique = [...new Map(models.map((model) => [model.name, model])).values()]
  const names = unique.map(modelYaml).join('')
  return `pools:
  upstream:
    server: ${server}
    endpoints: [${JSON.stringify(origin)}]
${tls}models:
${names}`
}

const modelYaml = ({ name, upstreamModel }: DevModel): string =>
  `  ${JSON.stringify(name)}: {pool: upstream, upstreamModel: ${JSON.stringify(upstreamModel)}, outputTokensMax: 4096}\n`

const policiesYaml = `unknownFields: refuse
scopes:
  inference: {endpoints: [chat.completions, completions, embeddings, models], models: ["*"]}
roles:
  app:
    scopes: [inference]
    parameters: {outputTokensMax: 1024, choicesMax: 4, tools: ["*"], responseFormats: [text, json_object, json_schema]}
    limits: {requestsPerMinute: 60, inFlight: 8}
    redaction: mask
    binding: none
`

const redactionYaml = `pseudonyms: {keyFile: ${pseudonymKeyFile}}
profiles:
  mask:
    prompt: {default: mask, entities: {PRIVATE_KEY: block}}
    reply: {default: mask}
`
