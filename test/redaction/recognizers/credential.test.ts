import fc from 'fast-check'
import t from 'tap'
import { leftContextUnits, type Recognizer } from '../../../src/redaction/recognizer.ts'
import { authorizationHeader } from '../../../src/redaction/recognizers/secret/authorization-header.ts'
import { awsSecretKey } from '../../../src/redaction/recognizers/secret/aws-secret-key.ts'
import { connectionString } from '../../../src/redaction/recognizers/secret/connection-string.ts'
import {
  credentialPassword,
  credentialToken,
} from '../../../src/redaction/recognizers/secret/credential-assignment.ts'
import { kindOfName, wordsOfName } from '../../../src/redaction/recognizers/secret/credential-lexicon.ts'
import { privateKey } from '../../../src/redaction/recognizers/secret/private-key.ts'
import { createOracle } from '../oracle.ts'
import { benignTexts, holds } from '../texts.ts'

const recognizers: readonly Recognizer[] = [
  privateKey,
  awsSecretKey,
  credentialPassword,
  connectionString,
  authorizationHeader,
  credentialToken,
]
const scan = createOracle(recognizers)
const token = '8f3kd92mZq0a1LpX'

const surroundings: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['It is ', ' today'],
  ['x;\n', '\n- y'],
]

for (const { id, entity, examples } of recognizers)
  t.test(`${id}: its examples are masked whole, its near misses are left alone`, async (t) => {
    for (const example of examples.match) {
      const { before, value } = typeof example === 'string' ? { before: '', value: example } : example
      for (const [head, tail] of surroundings)
        t.equal(
          scan(head + before + value + tail).text,
          `${head}${before}[${entity}]${tail}`,
          value.slice(0, 60),
        )
    }
    const alone = createOracle(recognizers.filter((recognizer) => recognizer.id === id))
    for (const text of examples.miss) t.equal(alone(text).text, text)
  })

t.test('a value is found behind every way to write its name', async (t) => {
  for (const [text, masked] of [
    ['password = hunter2', 'password = [PASSWORD]'],
    ["val password: String = 'hunter2'", "val password: String = '[PASSWORD]'"],
    ['def connect(passwd: str = "hunter2"):', 'def connect(passwd: str = "[PASSWORD]"):'],
    ['PSWD:=hunter2 x', 'PSWD:=[PASSWORD] x'],
    [String.raw`{\"password\": \"hunter2\", \"a\": 1}`, String.raw`{\"password\": \"[PASSWORD]\", \"a\": 1}`],
    ['{"user":"bob","password":"hunter2"}', '{"user":"bob","password":"[PASSWORD]"}'],
    ['<password>hunter2</password>', '<password>[PASSWORD]</password>'],
    ['<string name="db_password">hunter2</string>', '<string name="db_password">[PASSWORD]</string>'],
    ['value="pass: &quot;hunter2&quot;"', 'value="pass: &quot;[PASSWORD]&quot;"'],
    ['login --password hunter2 -v', 'login --password [PASSWORD] -v'],
    ['#define PASSWORD "hunter2"', '#define PASSWORD "[PASSWORD]"'],
    ["ALTER USER a IDENTIFIED BY 'hunter2';", "ALTER USER a IDENTIFIED BY '[PASSWORD]';"],
    ['CREATE ROLE a LOGIN PASSWORD hunter2;', 'CREATE ROLE a LOGIN PASSWORD [PASSWORD];'],
    ['ConvertTo-SecureString "hunter2" -Force', 'ConvertTo-SecureString "[PASSWORD]" -Force'],
    ['user.setPassword("hunter2")', 'user.setPassword("[PASSWORD]")'],
    ['| password | hunter2 |', '| password | [PASSWORD] |'],
    ['**Password:** hunter2', '**Password:** [PASSWORD]'],
    ['ID:ada/PW:hunter2', 'ID:ada/PW:[PASSWORD]'],
    ['10.0.0.1(pw:hunter2)', '10.0.0.1(pw:[PASSWORD])'],
    ['the password for the staging db is hunter2.', 'the password for the staging db is [PASSWORD].'],
    ['das Passwort lautet Sommer2024!', 'das Passwort lautet [PASSWORD]'],
    ['la contrase\u00f1a es Perro1234', 'la contrase\u00f1a es [PASSWORD]'],
    ['mot de passe : Soleil99', 'mot de passe : [PASSWORD]'],
    ['\u5bc6\u7801: hunter2', '\u5bc6\u7801: [PASSWORD]'],
    ['Server=db;Password=hunter2;Encrypt=true', 'Server=db;Password=[PASSWORD];Encrypt=true'],
    [`{"name":"API_KEY","value":"${token}"}`, '{"name":"API_KEY","value":"[API_KEY]"}'],
    [`<add key="ApiKey" value="${token}" />`, '<add key="ApiKey" value="[API_KEY]" />'],
    [`System.setProperty("API_TOKEN", "${token}")`, 'System.setProperty("API_TOKEN", "[API_KEY]")'],
    [`https://x.test/cb?access_token=${token}&a=b`, 'https://x.test/cb?access_token=[API_KEY]&a=b'],
    [`Cookie: sessionid=${token}; theme=dark`, 'Cookie: sessionid=[API_KEY]; theme=dark'],
    [`client_secret: ${token},`, 'client_secret: [API_KEY],'],
    [`someApiToken123 = "${token}"`, 'someApiToken123 = "[API_KEY]"'],
    [`curl -u ada:${token} https://x.test`, 'curl -u ada:[PASSWORD] https://x.test'],
    ['mysql://root:toor@localhost:3306/db', 'mysql://root:[PASSWORD]/db'],
    [`headers: { Authorization: 'Bearer ${token}' }`, "headers: { Authorization: 'Bearer [AUTHORIZATION]' }"],
  ] as const)
    t.equal(scan(text).text, masked)
})

t.test('values that no lexicon can hold back are certain early', async (t) => {
  const long = 'q7Zk2vX9'.repeat(80)
  t.equal(scan(`api_key: ${long} next`).text, 'api_key: [API_KEY] next')
  t.equal(scan(`Authorization: Bearer ${long}\n`).text, 'Authorization: Bearer [AUTHORIZATION]\n')
})

t.test('placeholders, references and prose are left alone', async (t) => {
  const texts = [
    'password: required',
    'function login(user: string, password: string) {}',
    'if (password.length < 8) throw new Error()',
    'const token = await getToken(user1)',
    'max_tokens: 4096, token_type: "bearer"',
    'The token is 512 bits and the key is AES-256.',
    'the password is case-sensitive and has 8 characters',
    'Note: the secret to success is hard work.',
    'password=%s',
    'password: <your-password-1>',
    'password: [PASSWORD], token [API_KEY]',
    '"password": "must have 8 chars"',
    'apiKey: process.env.API_KEY1',
    'key: "user_profile_12"',
    `id: ${token}`,
    'token = tokens[index1]',
    'pass1 = pass2',
    'secret_name: "db-secret-01"',
    'pwd: /home/ada/work1',
    'public_key = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit"',
    'hashSeed = 0x811c9dc5',
    `const apiKey = \`sk-\${randomBytes(24).toString('base64url')}\``,
    'const types = ["secret", "x9"] as const',
    'git clone git@github.com:ada/engine.git',
    'http://localhost:3000/@fs/x, see https://x.test:8443/a@b',
  ]
  for (const text of [...texts, ...benignTexts.filter((text) => !text.includes('PRIVATE KEY'))])
    t.equal(scan(text).text, text)
})

t.test('a token with a checksum is left to whoever can check it', async (t) => {
  const value = `ghp_${'aB3dE5fG7hI9jK1lM3nOpQ5rS7tU9vW1xY3z'}`
  t.equal(scan(`token: ${value}`).text, `token: ${value}`)
  t.equal(scan(`token: ${value.toLowerCase()}`).text, 'token: [API_KEY]')
})

t.test('names are read in every case', async (t) => {
  t.strictSame(wordsOfName('myAPIKey'), ['my', 'api', 'key'])
  t.strictSame(wordsOfName('DB_PASSWORD-2'), ['db', 'password'])
  for (const name of ['dbPassword', 'MYSQLPASS', 'user.pwd', '--password', 'PASSWORD_PROD', 'passwd1'])
    t.ok(kindOfName(name) !== undefined, name)
  for (const name of [
    'compass',
    'monkey',
    'primary_key',
    'tokenizer',
    'next_token',
    'passwordHash',
    'author',
    '',
  ])
    t.equal(kindOfName(name), undefined, name)
})

t.test('a guard looks at its left context and at nothing else', async (t) => {
  const guards = recognizers.flatMap(({ rules }) => rules.flatMap(({ guard }) => guard ?? []))
  const pieces = fc.constantFrom(
    ...[
      'password',
      'token',
      'api',
      'key',
      'is',
      'Authorization',
      'Bearer',
      '-u',
      'user',
      'AKIA',
      '"d"',
      'name',
    ],
    ...[
      '=',
      ':',
      ' ',
      '  ',
      '"',
      "'",
      '\\',
      '(',
      ',',
      '>',
      '<a ',
      '://',
      '@',
      '|',
      '\n',
      '&quot;',
      '**',
      '-',
      '_',
    ],
    ...['a'.repeat(70), ' '.repeat(50), '\u5bc6'],
  )
  holds(
    t,
    fc.property(fc.array(pieces, { maxLength: 24 }), fc.string(), (left, right) => {
      const text = left.join('')
      const near = text.slice(-leftContextUnits)
      for (const guard of guards)
        if (guard(text + right, text.length) !== guard(near, near.length)) return false
      return true
    }),
    2000,
  )
})
