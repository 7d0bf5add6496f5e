import { WordEnds } from '../../word-ends.ts'

/** What the name of a value says about it, from the surest to the vaguest. */
export const password = 1
export const secret = 2
export const token = 3
/** `key`, `auth`, `api`: the value has to prove itself. */
export const vague = 4
export type KeyKind = typeof password | typeof secret | typeof token | typeof vague

type Terms = readonly (readonly [KeyKind, string])[]

/** Names that count wherever a name ends with them, run together with others or not: `MYSQLPASSWORD`. */
const endings: Terms = [
  [password, 'password passwd passwrd pasword paswrd psword psswrd pswrd pswd passphrase passcode'],
  [password, 'securestring requirepass storepass keypass'],
  [password, 'passwort kennwort senha contraseña contrasena motdepasse wachtwoord lösenord losenord passord'],
  [
    password,
    'adgangskode salasana hasło haslo heslo jelszó jelszo parolă parola şifre sifre mypass dbpass userpwd',
  ],
  [
    password,
    'mysqlpass rootpass userpass adminpass sshpass dbpwd пароль пароля паролем паролю parole 密码 密碼 口令 パスワード',
  ],
  [password, '비밀번호 비번 암호 รหัสผ่าน पासवर्ड סיסמה סיסמא'],
  [secret, 'secret privatekey secretkey signingkey encryptionkey masterkey sharedkey geheimnis'],
  [
    token,
    'token apikey accesskey authkey appkey servicekey accountkey subscriptionkey licensekey sessionkey',
  ],
  [token, 'sessionid sessid credential accesssecret connectionstring bearer webhookkey deploykey'],
]

/** Names that count as a whole word only: `db_pass`, but not `compass`. */
const wholeWords: Terms = [
  [password, 'pass pw pwd psw psk pwrd mdp'],
  [secret, 'secrets secrete pkey salt hmac seed mnemonic'],
  [token, 'tokens credentials creds cred sid jwt pat session cookie signature sig sas otp totp'],
  [vague, 'key auth api authentication license'],
]

/** Two words that make one name; the second alone would say less. */
const pairs: Terms = [
  [password, 'secure_string pass_word pass_phrase pass_code de_passe mật_khẩu'],
  [secret, 'private_key secret_key signing_key encryption_key decryption_key master_key shared_key hmac_key'],
  [secret, 'cipher_key access_secret recovery_code backup_code seed_phrase recovery_phrase'],
  [
    token,
    'api_key access_key auth_key app_key service_key account_key subscription_key license_key session_key',
  ],
  [
    token,
    'session_id connection_string authentication_key authorization_key deploy_key webhook_key function_key',
  ],
  [token, 'client_key consumer_key storage_key host_key admin_key user_key rest_key write_key ingest_key'],
]

function index(terms: Terms): Map<string, KeyKind> {
  const map = new Map<string, KeyKind>()
  for (const [kind, words] of terms) for (const word of words.split(' ')) map.set(word, kind)
  return map
}

const wordsOf = (list: string): ReadonlySet<string> => new Set(list.split(' '))

const endingKinds = index(endings)
const endingLengths = [...new Set([...endingKinds.keys()].map(({ length }) => length))].sort((a, b) => b - a)
const wordKinds = index(wholeWords)
const pairKinds = index(pairs)

/** Last words that say which one of several, not what. */
const neutral = wordsOf(
  'value val prod production dev development stage staging test live old new current main default ' +
    'secure str string text plain plaintext raw base64 b64 primary secondary bytes data env var',
)

/** Last words that make a name the name of something else: `token_type`, `passwordHash`, `secretName`. */
const foreign = wordsOf(
  'id ids name names type types url uri urls path paths file files filename dir folder length len ' +
    'size min max count num number limit ttl expiry expires expire expiration exp in at on by to of ' +
    'for is field fields input label hint placeholder policy policies regex pattern rule rules ' +
    'endpoint prefix suffix column index algorithm algo alg mode required enabled enable disabled ' +
    'disable error errors message msg status state reset change changed update updated created date ' +
    'time timestamp age history strength manager provider store storage vault ref arn version format ' +
    'encoder encoding usage budget cost price rate bucket source owner issuer audience scope scopes ' +
    'role handler factory generator validator helper class model schema spec callback event page form ' +
    'title view icon button link visible show toggle attempts retries lock prompt question param ' +
    'parameter header headers server hash hashed digest salt iterations cipher encrypted char chars ' +
    'character characters kind lifetime duration method methods info meta metadata details config ' +
    'configuration settings options rotation position offset plugin module client request response ' +
    'flow grant group category host port domain address and or',
)

/** First words that make a key or a token something open: `primary_key`, `csrf-token`, `next_token`. */
const open = wordsOf(
  'public pub primary foreign sort partition cache object bucket hot short row map dict index ' +
    'sequence composite registry translation i18n message query config group csrf xsrf next page eos ' +
    'bos pad unk mask start end stop cls sep max min arrow enter escape any some first last other ' +
    'each this lookup unique natural surrogate range hash ssh socket known candidate arr sharding ' +
    'shard press shortcut legend cursor no not non keyboard answer idempotency',
)

/** Every word that a name can end with. */
const allNames: readonly string[] = [...endings, ...wholeWords, ...pairs].flatMap(([, words]) =>
  words.split(' '),
)
export const wordEndings: readonly string[] = allNames.map((name) => name.slice(name.indexOf('_') + 1))

const isUpper = (unit: number): boolean => unit >= 65 && unit <= 90
const isLower = (unit: number): boolean => unit >= 97 && unit <= 122
/** Letters of other scripts have no humps that matter. */
const isWordPart = (unit: number): boolean => isUpper(unit) || isLower(unit) || unit >= 0xc0

/** Whether a word of camel case begins at `index`: `authToken`, `APIKey`. */
function isHump(name: string, index: number): boolean {
  if (!isUpper(name.charCodeAt(index))) return false
  const before = name.charCodeAt(index - 1)
  return isLower(before) || (isUpper(before) && isLower(name.charCodeAt(index + 1)))
}

/** The words of a name in snake, kebab, camel or upper case, or of a few words of prose, in lower case. */
export function wordsOfName(name: string): string[] {
  const words: string[] = []
  let from = -1
  for (let index = 0; index <= name.length; index++) {
    const inside = index < name.length && isWordPart(name.charCodeAt(index))
    if (from >= 0 && (!inside || isHump(name, index))) {
      words.push(name.slice(from, index).toLowerCase())
      from = -1
    }
    if (inside && from < 0) from = index
  }
  return words
}

const hashBits = 14
const slotOf = (letters: number): number => Math.imul(letters, 0x9e3779b1) >>> (32 - hashBits)
const letterOf = (unit: number): number => (isLower(unit | 32) ? unit & 31 : 0)

/** Numbers of up to 20 bits: a mark says no at once for nearly all others. */
class LetterSet {
  readonly #marks = new Uint8Array(1 << hashBits)
  readonly #exact = new Set<number>()

  add(letters: number): void {
    this.#marks[slotOf(letters)] = 1
    this.#exact.add(letters)
  }

  has(letters: number): boolean {
    return this.#marks[slotOf(letters)] === 1 && this.#exact.has(letters)
  }
}

/** The first four letters of names, and the shorter names. */
const beginnings = new LetterSet()
const shortNames = new LetterSet()

/** Of two words that make a name, the one that is rarer elsewhere. */
const rarer = (name: string): string => {
  const [first, second] = name.split('_') as [string, string?]
  return second === 'key' || second === 'secret' || second === 'passe' ? second : first
}

for (const word of allNames.map(rarer)) {
  let letters = 0
  for (const char of word.slice(0, 4)) letters = (letters << 5) | letterOf(char.charCodeAt(0))
  if (letters !== 0) (word.length < 4 ? shortNames : beginnings).add(letters)
}

/** Of a code unit below U+00C0: 1 to 26 for a letter in either case, or 0. */
const letterNumbers = Uint8Array.from({ length: 0xc0 }, (_, unit) => letterOf(unit))

const isShortName = (letters: number): boolean =>
  letters !== 0 && (shortNames.has(letters & 0x7fff) || shortNames.has(letters & 0x3ff))

/**
 * Whether a name of the lexicon could stand in `text.slice(start, end)`: cheap, and rarely wrong. Long names
 * are known by their first four letters, short ones (`key`, `db_pw`, `userPwd`) by the end of their word.
 */
export function mayHoldName(text: string, start: number, end: number): boolean {
  let letters = 0
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xc0) return true
    const letter = letterNumbers[unit] as number
    if ((letter === 0 || unit < 97) && isShortName(letters)) return true
    letters = letter === 0 ? 0 : ((letters << 5) | letter) & 0xfffff
    if (letters > 0x7fff && beginnings.has(letters)) return true
  }
  return isShortName(letters)
}

/** Most words have none of the endings, which one look at their last letters tells. */
const lastLetters = new WordEnds([...endingKinds.keys()], { signs: '' })

function endingKind(word: string): KeyKind | undefined {
  if (!lastLetters.mayEnd(word)) return undefined
  for (const length of endingLengths) {
    const kind = word.length < length ? undefined : endingKinds.get(word.slice(word.length - length))
    if (kind !== undefined) return kind
  }
  return undefined
}

/** What a word says with the word before it. */
function kindOf(word: string, before: string | undefined): KeyKind | undefined {
  const pair = before === undefined ? undefined : pairKinds.get(`${before}_${word}`)
  if (pair !== undefined) return pair
  const kind =
    wordKinds.get(word) ?? endingKind(word) ?? endingKind(word.endsWith('s') ? word.slice(0, -1) : '')
  if (kind === undefined || kind <= secret) return kind
  return before !== undefined && open.has(before) ? undefined : kind
}

/** What a name says: its last word counts, behind neutral words and one word that is not known. */
export function kindOfName(name: string): KeyKind | undefined {
  const words = wordsOfName(name)
  let last = words.length - 1
  for (; last >= 0; last--) {
    const kind = kindOf(words[last] as string, words[last - 1])
    if (kind !== undefined) return kind
    if (!neutral.has(words[last] as string) || words.length - last > 3) break
  }
  const unknown = words[last]
  if (last < 1 || unknown === undefined || foreign.has(unknown)) return undefined
  const inner = kindOf(words[last - 1] as string, words[last - 2])
  return inner === vague ? undefined : inner
}
