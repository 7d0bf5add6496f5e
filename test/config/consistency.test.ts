import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { simulatedKnowledge } from './simulated-knowledge.ts'
import { simulatedSource, validTexts } from './simulated-source.ts'

type File = keyof typeof validTexts
type Change = readonly [file: File, from: string, to: string]

/** `error` or `warning`, file, path and a part of the message, for the valid configuration with some changes. */
async function findings(...changes: readonly Change[]): Promise<string[]> {
  const texts: Record<string, string> = { ...validTexts }
  for (const [file, from, to] of changes) {
    const changed = texts[file]?.replace(from, to) ?? ''
    if (changed === texts[file]) throw new Error(`${from} is not in ${file}`)
    texts[file] = changed
  }
  const loaded = await loadConfig(simulatedSource(texts), {
    ...simulatedKnowledge({ EMAIL_ADDRESS: 'contact', API_KEY: 'secret' }),
    now: 0,
    material: 'skip',
  })
  const print =
    (level: string) =>
    ({ path, message }: { path: string; message: string }) =>
      `${level} ${path} ${message}`
  return [
    ...('problems' in loaded ? loaded.problems.map(print('error')) : []),
    ...loaded.warnings.map(print('warning')),
  ]
}

const traffic = (fields: string): Change => ['gateway.yaml', 'traffic:\n', `traffic:\n${fields}`]
const append = (text: string): Change => ['gateway.yaml', 'audit:', `${text}\naudit:`]
const issuer = (fields: string): Change => ['gateway.yaml', '    - name', `    - {${fields}}\n    - name`]
const other = 'audience: a, algorithms: [ES256], keys: {file: k}, claims: {tenant: {value: t}, roles: [r]}'
const endpoints = (text: string): Change => ['models.yaml', '["https://10.0.0.7:8000"]', text]
const noTls: Change = ['models.yaml', '    tls: {ca: tls/upstream.crt}\n', '']
const role = (from: string, to: string): Change => ['policies.yaml', from, to]

const keyed = 'pseudonyms: {keyFile: pseudonym.key}\n'
const recognizer = (fields: string): string =>
  `recognizers:\n  badge: {entity: EMPLOYEE_ID, category: identity, ${fields}}\n`
const analyzer = (fields: string, entities = 'PERSON, NRP'): string =>
  `recognizerService: {${fields}, entities: [${entities}]}\n`
/** The one profile as it is given, and what stands before it in the file. */
const redaction = (profile: string, before = ''): Change => [
  'redaction.yaml',
  validTexts['redaction.yaml'],
  `${before}profiles:\n  standard: ${profile}\n`,
]

const cases: readonly (readonly [name: string, changes: readonly Change[], expected: readonly RegExp[]])[] = [
  ['nothing wrong', [], []],

  // listeners
  ['one port for both', [append('probes: {port: 8443}')], [/^error probes\.port is the port of traffic/]],
  [
    'one port, different addresses',
    [traffic('  host: 10.0.0.1\n'), append('probes: {port: 8443, host: 10.0.0.2}')],
    [],
  ],
  [
    'operators on the port of traffic',
    [append('ops: {port: 8443}')],
    [/^error ops\.port is the port of traffic/],
  ],
  [
    'operators on the port of probes',
    [append('ops: {port: 9464}')],
    [/^error ops\.port is the port of probes/],
  ],
  ['operators of an issuer that is none', [append('ops: {issuers: [nobody]}')], [/^error ops\.issuers\[0\]/]],
  [
    'operators without an authority',
    [append('ops: {tls: {certificate: tls/server.crt, key: tls/server.key}}')],
    [/^error ops\.tls\.clientCa is missing/],
  ],
  ['probes for everybody', [append('probes: {host: 0.0.0.0}')], [/^warning probes\.host/]],
  ['probes on a public address', [append('probes: {host: 8.8.8.8}')], [/^warning probes\.host/]],
  ['probes on a public IPv6 address', [append('probes: {host: "2001:db8::1"}')], [/^warning probes\.host/]],
  ['probes on a name', [append('probes: {host: example.com}')], [/^warning probes\.host/]],
  ['probes inside', [append('probes: {host: "fd00::1"}')], []],
  [
    'headers after body',
    [traffic('  bounds: {headersTimeoutMs: 40000}\n')],
    [/^error traffic\.bounds\.headersTimeoutMs is 40000; .*bodyTimeoutMs, which is 30000/],
  ],
  [
    'silence longer than all',
    [traffic('  stream: {totalTimeoutMs: 70000}\n')],
    [/^error traffic\.stream\.firstByteTimeoutMs/],
  ],
  [
    'event above reply',
    [traffic('  stream: {replyBytesMax: 2048}\n')],
    [/^error traffic\.stream\.eventBytesMax/],
  ],
  ['drain without an end', [append('drain: {delayMs: 9000, deadlineMs: 8000}')], [/^error drain\.delayMs/]],
  [
    'tickets',
    [['gateway.yaml', 'tls:\n', 'tls:\n    sessionTickets: true\n']],
    [/^warning traffic\.tls\.sessionTickets/],
  ],
  [
    'tickets that outlive a revocation',
    [['gateway.yaml', 'tls:\n', 'tls:\n    sessionTickets: true\n    crl: [a]\n']],
    [/^error traffic\.tls\.sessionTickets/],
  ],

  // issuers
  [
    'two of one name',
    [issuer(`name: company, issuer: b, ${other}`)],
    [/^error identity\.issuers\[1\]\.name "company" is the name of issuers\[0\] too/],
  ],
  [
    'two of one iss',
    [issuer(`name: b, issuer: https://login.example.com/, ${other}`)],
    [/^error identity\.issuers\[1\]\.issuer/],
  ],
  ['two that differ', [issuer(`name: b, issuer: b, ${other}`)], []],
  [
    'tolerance against life',
    [issuer(`name: b, issuer: b, tokenLifetimeSecondsMax: 60, clockToleranceSeconds: 60, ${other}`)],
    [/^warning .*clockToleranceSeconds/],
  ],
  [
    'role map to nowhere',
    [['gateway.yaml', 'roles: [roles]', 'roles: [roles], roleMap: {X: app, Y: ap}']],
    [/^error identity\.issuers\[0\]\.claims\.roleMap\.Y "ap" is not a role; roles are: app/],
  ],
  [
    'kubernetes as it is',
    [
      issuer(
        `name: b, issuer: b, kind: kubernetes, audienceMayBeList: true, typeMayBeAbsent: true, ${other.replace('roles: [r]', 'roles: [sub], roleMap: {a: app}')}`,
      ),
    ],
    [],
  ],
  [
    'kubernetes as it cannot be',
    [
      issuer(
        `name: b, issuer: b, kind: kubernetes, binding: mtls, ${other.replace('{value: t}', '[org]').replace('[r]', '[r], scopes: [s]')}`,
      ),
    ],
    [
      /\.audienceMayBeList must be true/,
      /\.typeMayBeAbsent must be true/,
      /\.claims\.roles must be \[sub\]/,
      /\.claims needs a roleMap/,
      /\.tenant must be/,
      /\.scopes cannot/,
      /\.binding must be none/,
    ],
  ],

  // upstreams
  [
    'unknown pool',
    [['models.yaml', 'llama-8b: {pool: gpu', 'llama-8b: {pool: gpuu']],
    [/^error models\["llama-8b"\]\.pool|^error models\.llama-8b\.pool "gpuu" is not a pool; pools are: gpu/],
  ],
  [
    'pool of a prototype',
    [['models.yaml', 'llama-8b: {pool: gpu', 'llama-8b: {pool: constructor']],
    [/"constructor" is not a pool/],
  ],
  [
    'pool for nobody',
    [['models.yaml', 'models:', '  idle: {server: tgi, endpoints: ["http://localhost:1"]}\nmodels:']],
    [/^warning pools\.idle/],
  ],
  [
    'no pool at all',
    [['models.yaml', 'llama-8b: {pool: gpu, ', 'llama-8b: {']],
    [/^error models\.llama-8b needs a pool, or routes to several/],
  ],
  [
    'a pool and routes',
    [['models.yaml', 'llama-8b: {pool: gpu, ', 'llama-8b: {pool: gpu, routes: [{pool: gpu}], ']],
    [/^error models\.llama-8b has both pool and routes/],
  ],
  [
    'routes that lead nowhere, twice to one pool, and to nobody first',
    [
      [
        'models.yaml',
        'llama-8b: {pool: gpu, ',
        'llama-8b: {routes: [{pool: gpu, weight: 0}, {pool: gpu, order: 2}, {pool: no, order: 3}], ',
      ],
    ],
    [
      /routes\[2\]\.pool "no" is not a pool/,
      /routes\[1\]\.pool "gpu" stands in this list already/,
      /routes has no pool of the first order with a weight above 0/,
    ],
  ],
  [
    'servers written down and looked up',
    [endpoints('["https://10.0.0.7:8000"]\n    discovery: {name: llm.test, port: 8000}')],
    [/^error pools\.gpu has both endpoints and discovery/],
  ],
  [
    'a name without a port, and a time that runs backwards',
    [
      [
        'models.yaml',
        'endpoints: ["https://10.0.0.7:8000"]',
        'discovery: {name: llm.test, refreshMsMin: 2000, refreshMsMax: 1000}',
      ],
    ],
    [/discovery of kind a needs the port/, /refreshMsMax is below refreshMsMin/],
  ],
  [
    'a port that an SRV record names',
    [
      [
        'models.yaml',
        'endpoints: ["https://10.0.0.7:8000"]',
        'discovery: {kind: srv, name: _http._tcp.llm.test, port: 1}',
      ],
    ],
    [/discovery\.port has no use/],
  ],
  [
    'names over plain text',
    [
      noTls,
      [
        'models.yaml',
        'endpoints: ["https://10.0.0.7:8000"]',
        'discovery: {name: llm.test, port: 1, scheme: http}',
      ],
    ],
    [/^error pools\.gpu\.discovery would send prompts unencrypted/],
  ],
  [
    'bounds of health and salts that contradict one another',
    [
      endpoints(
        '["https://10.0.0.7:8000"]\n    health: {ejectionMs: 1000, ejectionMsMax: 10}\n    cacheSalt: false\n    cacheSaltKeyFile: k',
      ),
    ],
    [/health\.ejectionMsMax is below ejectionMs/, /^warning pools\.gpu\.cacheSaltKeyFile has no use/],
  ],
  ['https without an authority', [noTls], [/^error pools\.gpu has https:\/\/ endpoints and needs tls\.ca/]],
  [
    'plain text to elsewhere',
    [noTls, endpoints('["http://10.0.0.7:8000"]')],
    [/^error pools\.gpu\.endpoints\[0\] would send prompts unencrypted/],
  ],
  [
    'plain text to what looks like home',
    [noTls, endpoints('["http://127.0.0.1.example.com"]')],
    [/^error pools\.gpu\.endpoints\[0\]/],
  ],
  [
    'plain text at home',
    [noTls, endpoints('["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"]')],
    [],
  ],
  [
    'plain text by choice',
    [noTls, endpoints('["http://10.0.0.7:8000"]\n    plaintext: allowed')],
    [/^warning pools\.gpu\.endpoints\[0\] gets prompts unencrypted/],
  ],
  [
    'key in plain text',
    [noTls, endpoints('["http://10.0.0.7:8000"]\n    plaintext: allowed\n    apiKeyFile: k')],
    [/^warning .* gets prompts and the API key unencrypted/],
  ],
  [
    'plain text for nothing',
    [endpoints('["https://10.0.0.7:8000"]\n    plaintext: allowed')],
    [/^warning pools\.gpu\.plaintext/],
  ],
  ['TLS for nothing', [endpoints('["http://127.0.0.1:1"]')], [/^error pools\.gpu\.tls is given, but/]],
  [
    'certificate alone',
    [['models.yaml', '{ca: tls/upstream.crt}', '{ca: a, certificate: b}']],
    [/^error pools\.gpu\.tls has a certificate without its key/],
  ],
  [
    'key alone',
    [['models.yaml', '{ca: tls/upstream.crt}', '{ca: a, key: b}']],
    [/^error pools\.gpu\.tls has a key without/],
  ],
  [
    'one server twice',
    [endpoints('["https://a", "https://A:443/"]')],
    [/^error pools\.gpu\.endpoints\[1\] is the same server as endpoints\[0\]/],
  ],
  [
    'port out of range',
    [endpoints('["https://a:99999"]')],
    [/^error pools\.gpu\.endpoints\[0\] is not an address/],
  ],

  // redaction
  [
    'unknown entity',
    [['redaction.yaml', 'EMAIL_ADDRESS', 'E_MAIL']],
    [
      /^error profiles\.standard\.reply\.entities\.E_MAIL "E_MAIL" is not an entity .* are: API_KEY, EMAIL_ADDRESS/,
    ],
  ],
  [
    'profile for nobody',
    [
      [
        'redaction.yaml',
        '  standard:',
        '  idle: {prompt: {default: mask}, reply: {default: mask}}\n  standard:',
      ],
    ],
    [/^warning profiles\.idle/],
  ],

  [
    'profiles by preset, and by kind',
    [
      redaction(
        '{preset: pii, tierMax: 3, scoreMin: 0.4, prompt: {categories: {name: mask}, entities: {EMAIL_ADDRESS: {1: block, 3: shadow}}}}',
      ),
    ],
    [],
  ],
  [
    'a preset, a category, an action and a tier that are none',
    [
      redaction(
        '{preset: all, scoreMin: 2, prompt: {default: redact, categories: {people: mask}, entities: {EMAIL_ADDRESS: {4: mask}}}}',
      ),
    ],
    [
      /^error profiles\.standard\.preset must be one of: standard, secrets, pii, pci, phi, strict/,
      /^error profiles\.standard\.scoreMin must be a number from 0 to 1/,
      /^error profiles\.standard\.prompt\.default must be an action \(allow, .*\) or one for each tier/,
      /^error profiles\.standard\.prompt\.categories\.people .*a category: secret/,
      /^error profiles\.standard\.prompt\.entities\.EMAIL_ADDRESS must be an action/,
    ],
  ],
  [
    'pseudonyms without a key',
    [
      redaction(
        '{prompt: {entities: {EMAIL_ADDRESS: pseudonymize}}, denied: [{action: hash, values: [falcon]}]}',
      ),
    ],
    [
      /^error profiles\.standard uses hash, pseudonymize, which needs a key: .*openssl rand.*pseudonyms\.keyFile/,
    ],
  ],
  [
    'pseudonyms with a key',
    [redaction('{prompt: {entities: {EMAIL_ADDRESS: pseudonymize}, categories: {secret: hash}}}', keyed)],
    [],
  ],
  [
    'pseudonyms of secrets, by entity, category and default',
    [
      redaction(
        '{prompt: {entities: {API_KEY: pseudonymize}}, reply: {categories: {secret: pseudonymize}}}\n  other: {prompt: {default: pseudonymize}}',
        keyed,
      ),
    ],
    [
      /^error profiles\.standard\.prompt\.entities\.API_KEY would pseudonymize "API_KEY", a secret/,
      /^error profiles\.standard\.reply\.categories\.secret would pseudonymize "API_KEY"/,
      /^error profiles\.other\.prompt\.default would pseudonymize "API_KEY".*categories: \{secret: mask\}/,
      /^warning profiles\.other/,
    ],
  ],
  [
    'recognizers of one\u2019s own',
    [
      redaction(
        '{prompt: {entities: {EMPLOYEE_ID: block}}}',
        recognizer('patterns: ["EMP-[0-9]{6}"], examples: {match: [EMP-123456], miss: [EMP-1]}'),
      ),
    ],
    [],
  ],
  [
    'what is wrong with them, all at once',
    [
      redaction(
        '{denied: [{values: [ok, x]}]}',
        recognizer('patterns: ["(EMP", "E+", "EMP-[0-9]{6}"], literals: ["\\u6771\\u4eac"]') +
          '  wrong: {entity: X, category: identity, patterns: ["W[0-9]{4}"], examples: {match: [W123], miss: [W1234]}}\n',
      ),
    ],
    [
      /^error recognizers\.badge\.patterns\[0\] a group is not closed/,
      /^error recognizers\.badge\.patterns\[1\] (must match at least 2|has no bound)/,
      /^error recognizers\.badge\.literals\[0\] a character above U\+052F cannot be told apart/,
      /^error recognizers\.wrong\.examples\.match\[0\] is not found whole/,
      /^error recognizers\.wrong\.examples\.miss\[0\] is found, or a part of it is/,
      /^error profiles\.standard\.denied\[0\]\.values\[1\] must/,
    ],
  ],
  [
    'a recognizer that every profile allows',
    [redaction('{preset: pci}', recognizer('literals: [falcon]'))],
    [
      /^warning recognizers\.badge finds nothing: every profile allows EMPLOYEE_ID \(category identity, tier 1\)/,
    ],
  ],
  [
    'more literals than can be told apart',
    [
      redaction(
        `{denied: [${[0, 1, 2].map((list) => `{values: [${Array.from({ length: 700 }, (_, at) => `w${list}x${at}`).join(',')}]}`).join(',')}]}`,
      ),
    ],
    [/^error {2}has 2100 literals and denied values; 2000 are allowed in all/],
  ],

  [
    'a recognizer service',
    [
      redaction(
        '{preset: pii, prompt: {entities: {NRP: block, EMAIL_ADDRESS: allow}}}',
        analyzer('url: "https://presidio.internal/analyze", tls: {ca: tls/analyzer.crt}'),
      ),
    ],
    [],
  ],
  ['beside the gateway', [redaction('{preset: pii}', analyzer('url: "http://127.0.0.1:3000/analyze"'))], []],
  [
    'what is wrong with it, all at once',
    [
      redaction(
        '{prompt: {entities: {NRP: pseudonymize, NPR: mask, PASSWORD: pseudonymize}}, reply: {entities: {NRP: mask}}}',
        analyzer('url: "http://presidio.internal/analyze", tls: {ca: a}', 'NRP, API_KEY'),
      ),
    ],
    [
      /^error recognizerService\.url cannot be used: a recognizer service is https, or plain http on this machine/,
      /^error recognizerService\.tls is given, but the address is not https/,
      /^error profiles\.standard\.prompt\.entities\.NPR "NPR" is not an entity .* are: API_KEY, EMAIL_ADDRESS, NRP/,
      /^error profiles\.standard\.prompt\.entities\.PASSWORD "PASSWORD" is not an entity/,
      /^error profiles\.standard\.reply\.entities\.NRP "NRP" is found by the recognizer service alone/,
      /^error profiles\.standard uses pseudonymize, which needs a key/,
    ],
  ],
  [
    'secrets that it finds, as pseudonyms',
    [
      redaction(
        '{prompt: {entities: {API_KEY: {1: mask, 2: pseudonymize}}}}',
        keyed + analyzer('url: "http://localhost/analyze"', 'API_KEY'),
      ),
    ],
    [/^error profiles\.standard\.prompt\.entities\.API_KEY would pseudonymize "API_KEY", a secret/],
  ],
  [
    'roots of the system, an address that is none',
    [redaction('{preset: pii}', analyzer('url: "https://presidio.internal:99999/"'))],
    [
      /^error recognizerService\.url cannot be used: Invalid URL/,
      /^error recognizerService is https:\/\/ and needs tls\.ca/,
    ],
  ],
  [
    'half a pair of its own',
    [redaction('{preset: pii}', analyzer('url: "https://a/", tls: {ca: a, key: b}'))],
    [/^error recognizerService\.tls has a key without its certificate/],
  ],
  [
    'a recognizer service that nobody asks',
    [redaction('{}', analyzer('url: "http://localhost/analyze"'))],
    [/^warning recognizerService is never asked: every profile allows NRP, PERSON in prompts/],
  ],

  // roles
  [
    'unknown scope',
    [role('[chat, embed]', '[chat, embed, toString]')],
    [/^error roles\.app\.scopes\[2\] "toString" is not a scope; scopes are: chat, embed/],
  ],
  [
    'unknown profile',
    [role('redaction: standard', 'redaction: strict')],
    [/^error roles\.app\.redaction "strict" is not a profile/, /^warning profiles\.standard/],
  ],
  [
    'misspelled model',
    [role('[org/embed]', '[org/embedd]')],
    [
      /^error scopes\.embed\.models\[0\] "org\/embedd" is not a model; models are: llama-8b, org\/embed/,
      /^warning models/,
    ],
  ],
  [
    'glob for a model to come',
    [role('["llama-*"]', '["llama-*", "qwen-*"]')],
    [/^warning scopes\.chat\.models\[1\] "qwen-\*" matches no model/],
  ],
  ['scope for nobody', [role('[chat, embed]', '[chat]')], [/^warning scopes\.embed/]],
  [
    'logprobs against masking',
    [role('outputTokensMax: 1000', 'outputTokensMax: 1000, logprobsMax: 0')],
    [/^error roles\.app\.parameters\.logprobsMax cannot be given with profile "standard"/],
  ],
  [
    'logprobs where nothing is masked',
    [
      role('outputTokensMax: 1000', 'outputTokensMax: 1000, logprobsMax: 5'),
      ['redaction.yaml', 'reply: {default: mask,', 'reply: {default: allow,'],
    ],
    [],
  ],
  [
    'logprobs where one entity blocks',
    [
      role('outputTokensMax: 1000', 'outputTokensMax: 1000, logprobsMax: 5'),
      [
        'redaction.yaml',
        'reply: {default: mask, entities: {EMAIL_ADDRESS: allow}}',
        'reply: {default: allow, entities: {EMAIL_ADDRESS: block}}',
      ],
    ],
    [/^error .*logprobsMax/],
  ],
  [
    'binding of one role, whose issuer binds some tokens',
    [role('redaction: standard', 'redaction: standard\n    binding: required')],
    [],
  ],
  [
    'binding that nobody can have',
    [
      role('redaction: standard', 'redaction: standard\n    binding: required'),
      ['gateway.yaml', 'audience: sallyport', 'audience: sallyport\n      kind: kubernetes'],
    ],
    [
      /audienceMayBeList must be true/,
      /typeMayBeAbsent must be true/,
      /claims needs a roleMap/,
      /claims\.tenant must be/,
      /claims\.roles must be/,
      /^error roles\.app\.binding cannot be required: ServiceAccount tokens .* \(company\)/,
    ],
  ],
  [
    'role that nobody can have',
    [
      role(
        'roles:\n',
        'roles:\n  ghost: {scopes: [chat], parameters: {outputTokensMax: 1}, limits: {requestsPerMinute: 1, inFlight: 1}, redaction: standard}\n',
      ),
      ['gateway.yaml', 'roles: [roles]', 'roles: [roles], roleMap: {X: app}'],
    ],
    [/^warning roles\.ghost is a role that no issuer can give/],
  ],
]

for (const [name, changes, expected] of cases) {
  t.test(name, async (t) => {
    const found = await findings(...changes)
    t.equal(found.length, expected.length, found.join('\n'))
    for (const pattern of expected)
      t.ok(
        found.some((line) => pattern.test(line)),
        `${pattern} in ${found.join('\n')}`,
      )
  })
}

t.test('nobody may do anything', async (t) => {
  const policies = validTexts['policies.yaml']
  const found = await findings(role(policies.slice(policies.indexOf('roles:')), 'roles: {}\n'))
  t.ok(found.includes('warning roles is empty: nobody may do anything'))
})
