import type { FileRead, FileSource } from '../../src/config/source.ts'

export interface SimulatedFile {
  readonly text: string
  readonly mode?: number
}

export type SimulatedFiles = Record<string, string | SimulatedFile | 'folder'>

/** A file source without a file system. Every path that is not among the files is missing. */
export const simulatedSource = (files: SimulatedFiles): FileSource => ({
  directory: '/simulated',
  resolve: (path) => (path.startsWith('/') ? path : `/simulated/${path}`),
  read: async (path, { bytesMax }) => readSimulated(files[path], bytesMax),
})

function readSimulated(file: SimulatedFiles[string] | undefined, bytesMax: number): FileRead {
  if (file === undefined) return { kind: 'missing' }
  if (file === 'folder') return { kind: 'folder', writable: true }
  const { text, mode = 0o600 } = typeof file === 'string' ? { text: file } : file
  const bytes = Buffer.from(text)
  return bytes.length > bytesMax ? { kind: 'too large' } : { kind: 'file', bytes, mode }
}

/** A small configuration without problems and without warnings. */
export const validTexts = {
  'gateway.yaml': `traffic:
  tls:
    certificate: tls/server.crt
    key: tls/server.key
    clientCa: tls/ca.crt
identity:
  issuers:
    - name: company
      issuer: https://login.example.com/
      audience: sallyport
      algorithms: [ES256]
      keys: {file: keys.jwks}
      claims: {tenant: [tenant], roles: [roles]}
audit: {directory: audit}
`,
  'models.yaml': `pools:
  gpu:
    server: vllm
    endpoints: ["https://10.0.0.7:8000"]
    tls: {ca: tls/upstream.crt}
models:
  llama-8b: {pool: gpu, outputTokensMax: 4096}
  org/embed: {pool: gpu, outputTokensMax: 1}
`,
  'policies.yaml': `scopes:
  chat: {endpoints: [chat.completions, models], models: ["llama-*"]}
  embed: {endpoints: [embeddings], models: [org/embed]}
roles:
  app:
    scopes: [chat, embed]
    parameters: {outputTokensMax: 1000}
    limits: {requestsPerMinute: 60, inFlight: 4}
    redaction: standard
`,
  'redaction.yaml': `profiles:
  standard:
    prompt: {default: mask}
    reply: {default: mask, entities: {EMAIL_ADDRESS: allow}}
`,
}
