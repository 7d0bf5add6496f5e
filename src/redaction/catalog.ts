import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './automaton.ts'
import { compile } from './compiler/compile.ts'
import { storedMachine } from './compiler/stored-machine.ts'
import type { Family, Recognizer } from './recognizer.ts'
import { dateOfBirth } from './recognizers/contact/date-of-birth.ts'
import { dateTime } from './recognizers/contact/date-time.ts'
import { emailAddress } from './recognizers/contact/email-address.ts'
import { geoCoordinates } from './recognizers/contact/geo-coordinates.ts'
import { phoneNumber } from './recognizers/contact/phone-number.ts'
import { identityRecognizers } from './recognizers/identity/ordered.ts'
import { address } from './recognizers/name/address.ts'
import { person } from './recognizers/name/person.ts'
import { ipAddress, ipAddressSpecial, ipv6Address } from './recognizers/network/ip-address.ts'
import { macAddress } from './recognizers/network/mac-address.ts'
import { url } from './recognizers/network/url.ts'
import { abaRoutingNumber, usBankNumber } from './recognizers/payment/bank-number.ts'
import { creditCard } from './recognizers/payment/credit-card.ts'
import { cryptoAddress, solanaAddress } from './recognizers/payment/crypto-address.ts'
import { iban } from './recognizers/payment/iban.ts'
import { authorizationHeader } from './recognizers/secret/authorization-header.ts'
import { awsSecretKey } from './recognizers/secret/aws-secret-key.ts'
import { commandLine } from './recognizers/secret/command-line.ts'
import { connectionString } from './recognizers/secret/connection-string.ts'
import { credentialPassword, credentialToken } from './recognizers/secret/credential-assignment.ts'
import { prefixSecrets } from './recognizers/secret/prefix-secrets.ts'
import { privateKey } from './recognizers/secret/private-key.ts'

/** Every recognizer, by priority: where two match the same text, the first gives the label. */
export const recognizers: readonly Recognizer[] = [
  privateKey,
  prefixSecrets,
  awsSecretKey,
  credentialPassword,
  connectionString,
  commandLine,
  authorizationHeader,
  credentialToken,
  creditCard,
  iban,
  cryptoAddress,
  identityRecognizers,
  abaRoutingNumber,
  phoneNumber,
  emailAddress,
  macAddress,
  ipAddress,
  ipv6Address,
  usBankNumber,
  dateOfBirth,
  ipAddressSpecial,
  solanaAddress,
  geoCoordinates,
  url,
  address,
  dateTime,
  person,
].flat()

export const families: readonly Family[] = ['prefix', 'text', 'shape', 'digits', 'spread', 'name']

const machines = new Map<Family, Machine>()
const packages = join(import.meta.dirname, '../../node_modules')

function made(family: Family): Machine {
  if (!existsSync(packages)) return compile(family, recognizers)
  return storedMachine(join(packages, '.cache/machines'), family, recognizers)
}

/** The machine of a family, compiled when it is first asked for, by this process or one before it. */
export function catalogMachine(family: Family): Machine {
  const machine = machines.get(family) ?? made(family)
  machines.set(family, machine)
  return machine
}

export interface FamilyStats {
  readonly family: Family
  readonly recognizers: number
  readonly rules: number
  readonly states: number
  readonly classes: number
  readonly bytes: number
  readonly buildMs: number
}

/** What the machines are made of and cost. */
export const catalogStats = (): FamilyStats[] =>
  families.map(catalogMachine).map(({ family, recognizers, rules, flags, classCount, bytes, buildMs }) => ({
    family,
    recognizers: recognizers.length,
    rules: rules.length,
    states: flags.length,
    classes: classCount,
    bytes,
    buildMs,
  }))
