import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { opsProfileFile } from '../dev/names.ts'
import { createOpsClient, type OpsClient, type OpsConnection } from '../ops-client.ts'
import { CommandFailed, exitCodes, type Surroundings } from '../surroundings.ts'

/** How the operators' listener is reached: what the command line says, then the profile. */
export interface ConnectionOptions {
  /** Folder of `sallyport dev`: its profile is used when no other is named. */
  readonly directory: string
  readonly profile?: string
  readonly url?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly tokenFile?: string
}

interface Profile {
  readonly url?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly tokenFile?: string
}

type Member = keyof Profile
const members = ['url', 'ca', 'cert', 'key', 'tokenFile'] as const satisfies readonly Member[]
const optionOf: Readonly<Record<Member, string>> = {
  url: '--url',
  ca: '--ca',
  cert: '--cert',
  key: '--key',
  tokenFile: '--token-file',
}

const FILE_BYTES_MAX = 1024 * 1024

/** Runs with a client that is closed afterwards. */
export async function withClient<Result>(
  options: ConnectionOptions,
  surroundings: Surroundings,
  use: (client: OpsClient) => Promise<Result>,
): Promise<Result> {
  const client = createOpsClient(findConnection(options, surroundings))
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

/** Throws CommandFailed with what is missing and which option names it. */
export function findConnection(options: ConnectionOptions, { ops = {} }: Surroundings): OpsConnection {
  const profile = { ...profileOf(options, ops.profile), ...named(options) }
  const missing = members.filter((member) => member !== 'tokenFile' && profile[member] === undefined)
  if (profile.tokenFile === undefined && ops.token === undefined) missing.push('tokenFile')
  if (missing.length > 0) throw new CommandFailed(missingText(missing), exitCodes.usage)
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map((member) =>
    pem(member, profile[member] as string),
  )
  const tls = { ca, cert, key } as OpsConnection['tls']
  checkPair(tls, profile)
  return { origin: originOf(profile.url as string), tls, token: tokenReader(profile, ops.token, options) }
}

/** What is named on the command line is taken from here, what a profile names from the profile's folder. */
function named(options: ConnectionOptions): Profile {
  const entries = members.map((member) => [member, options[member]] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/**
 * Who writes --url without a profile means another gateway than that of `npm start`: its token must not go there.
 */
function profileOf(
  { profile, url, directory }: ConnectionOptions,
  byEnvironment: string | undefined,
): Profile {
  if (profile !== undefined) return readProfile(profile)
  if (url !== undefined) return {}
  if (byEnvironment !== undefined) return readProfile(byEnvironment)
  const ofDev = join(directory, opsProfileFile)
  return existsSync(ofDev) ? readProfile(ofDev) : {}
}

function readProfile(path: string): Profile {
  const value = parseProfile(path)
  const wrong = Object.entries(value).find(
    ([name, text]) => !members.includes(name as Member) || typeof text !== 'string' || text === '',
  )
  if (wrong !== undefined)
    throw new CommandFailed(
      `${path} is no profile: ${JSON.stringify(wrong[0])} is not one of ${members.join(', ')} with a text.`,
    )
  const entries = Object.entries(value) as [Member, string][]
  return Object.fromEntries(
    entries.map(([name, text]) => [name, name === 'url' ? text : resolve(dirname(path), text)]),
  )
}

function parseProfile(path: string): object {
  try {
    const value: unknown = JSON.parse(read(path))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (error) {
    if (error instanceof CommandFailed) throw error
  }
  throw new CommandFailed(`${path} is no profile: it is a JSON object with ${members.join(', ')}.`)
}

const missingText = (missing: readonly Member[]): string =>
  `Which gateway, and who are you? Missing: ${missing.map((member) => optionOf[member]).join(', ')}. ` +
  'Beside `npm start` run it in the same folder, or with --directory; elsewhere name a file with --profile ' +
  'or SALLYPORT_OPS_PROFILE.'

function originOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '')
    throw new CommandFailed('--url is an address such as https://localhost:9443.', exitCodes.usage)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new CommandFailed('--url is without a path: https://localhost:9443', exitCodes.usage)
  return url.origin
}

function pem(member: 'ca' | 'cert' | 'key', path: string): string {
  const text = read(path)
  const kind = member === 'key' ? 'PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----'
  if (text.includes(kind)) return text
  throw new CommandFailed(
    `${path} (${optionOf[member]}) holds no ${member === 'key' ? 'key' : 'certificate'} in PEM.`,
  )
}

function checkPair(tls: OpsConnection['tls'], { cert, key }: Profile): void {
  try {
    createSecureContext(tls)
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw new CommandFailed(`${cert} and ${key} are not a certificate and its key (${code}).`)
  }
}

const tokenReader =
  ({ tokenFile }: Profile, byEnvironment: string | undefined, options: ConnectionOptions) =>
  (): string => {
    if (byEnvironment !== undefined && options.tokenFile === undefined) return byEnvironment
    return read(tokenFile as string)
  }

function read(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      throw new CommandFailed(`${path} is longer than ${FILE_BYTES_MAX} bytes.`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new CommandFailed(
      code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read: ${code}`,
    )
  }
}
