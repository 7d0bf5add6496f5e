import { type Guard, leftContextUnits, type Recognizer } from '../../recognizer.ts'
import { WordEnds } from '../../word-ends.ts'
import { argument, passwordArgument } from './connection-string.ts'
import { isBlank, isNamePart, isQuote, LeftReader } from './left-reader.ts'

/** Programs that take a password behind a flag which says nothing by itself; each as its manual writes it. */
const programsByFlag: Readonly<Record<string, string>> = {
  '-p': 'sshpass|(?:docker|podman|nerdctl|buildah|skopeo|oras|oc|az|registry) login|mongo(?:sh|dump|restore)?|cqlsh|twine',
  '-P': 'sqlcmd|bcp|osql|ipmitool',
  '-a': 'redis-cli|redis-benchmark',
  '-k': 'openssl',
  '-pw': 'plink|pscp|psftp|putty',
  '-w': 'ldap(?:add|compare|delete|modify|modrdn|passwd|search|whoami)',
  '-string': 'convertto-securestring',
}
const flagMax = 7
const flagEnds = new WordEnds([], { whole: ['-p', '-a', '-k', '-w'], signs: '' })

/** A program at the beginning of a command, with what follows it on its line. */
const beginsCommand = (programs: string): RegExp =>
  new RegExp(`(?:^|[\\s;|&(\`$"'/=])(?:${programs})(?:\\.exe)?(?:\\s[^\\n;|]*)?$`, 'i')

const commands = new Map(Object.entries(programsByFlag).map(([flag, list]) => [flag, beginsCommand(list)]))
const attached = beginsCommand('mysql(?:dump|admin|import|show|check|pump)?|mariadb(?:-dump|-admin)?')

const quotedOrBlank = '\\s"\''
const isDash = (unit: number): boolean => unit === 45

/** Behind `sshpass -p`, a quote in between or not. */
const behindFlag: Guard = Object.assign(
  (text: string, start: number): boolean => {
    const reader = new LeftReader(text, start)
    reader.skip(isQuote, 1)
    if (reader.skip((unit) => isBlank(unit) && unit !== 10, 4) === 0) return false
    const flag = reader.word(isNamePart, flagMax)
    if (!isDash(flag.charCodeAt(0))) return false
    const command = commands.get(flag) ?? commands.get(flag.toLowerCase())
    return command?.test(reader.behind(leftContextUnits)) === true
  },
  { ends: flagEnds },
)

const behindProgram: Guard = (text, start) =>
  attached.test(new LeftReader(text, start).behind(leftContextUnits))

/** Passwords that a program takes as an argument: `redis-cli -a x`, `mysql -px`. */
export const commandLine: Recognizer = {
  id: 'command-line-password',
  entity: 'PASSWORD',
  category: 'secret',
  tier: 2,
  family: 'text',
  rules: [
    {
      pattern: `[${argument}$&(){}|]{3,128}`,
      left: { only: quotedOrBlank },
      right: { not: argument },
      lengthMax: 128,
      guard: behindFlag,
      validate: passwordArgument,
    },
    {
      pattern: `-p[${argument}]{3,126}`,
      left: { only: ' ' },
      right: { not: argument },
      lengthMax: 128,
      guard: behindProgram,
      validate: (text, start, end) => passwordArgument(text, start + 2, end),
    },
  ],
  examples: {
    match: [
      { before: "sshpass -p '", value: 'lovelace1815' },
      { before: 'docker login -u ada -p ', value: 'lovelace1815' },
      { before: 'redis-cli -h cache -a ', value: 'lovelace1815' },
      { before: 'ldapsearch -D cn=ada -w ', value: 'lovelace1815' },
      { before: 'ConvertTo-SecureString -String "', value: 'love!ace1815' },
      { before: 'mysqldump -u root ', value: '-plovelace1815' },
    ],
    miss: [
      'docker run -p 8080:80 image',
      'mkdir -p build/output',
      'sshpass -p "$PASSWORD" ssh host',
      'mysql -u root -p',
      'a word -p hen it is none',
      'redis-cli -a password',
    ],
  },
}
