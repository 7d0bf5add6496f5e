import type { Recognizer, Rule } from '../../recognizer.ts'
import { alphanumeric } from '../shapes.ts'
import { looksIssued } from './placeholder.ts'

const base64url = 'A-Za-z0-9_\\-'

const decode = (text: string, start: number, end: number): string =>
  Buffer.from(text.slice(start, end), 'base64url').toString('latin1')

/** RFC 7515 and 7516 require `alg`. */
function hasHeader(text: string, start: number, end: number): boolean {
  const dot = text.indexOf('.', start)
  return dot < end && decode(text, start, dot).includes('"alg"')
}

/** The head of a long JOSE header: a certificate chain may come before `alg`. */
const joseMember = /"(?:alg|enc|typ|cty|kid|jku|jwk|x5u|x5c|x5t|x5t#S256|crit|epk|apu|apv|zip|p2s)"/

const rule = (pattern: string, lengthMax: number, validate: NonNullable<Rule['validate']>): Rule => ({
  pattern,
  // One start for each run of base64url: `eyJ-eyJ-...` kept 65 threads alive with a start behind every hyphen.
  left: { not: alphanumeric, notPair: { near: '_\\-', far: base64url } },
  lengthMax,
  // Certain once the payload begins; payload and signature may be of any length.
  sure: { kind: 'run', members: base64url, joiners: '.' },
  validate,
})

/** `{"alg":`, `{"typ":`, `{"kid":` and `{"enc":`: so much of a header, and so short a one, may follow `session_`. */
const glued: Rule = {
  ...rule(`eyJ(hbGciOi|0eXAiOi|raWQiOi|lbmMiOi)[A-Za-z0-9_\\-]{8,54}\\.\\.?[A-Za-z0-9_\\-]`, 67, hasHeader),
  left: { not: alphanumeric },
}

const headerMax = 256

/**
 * Two parts that begin like an object in base64 are enough where the header cannot be read: an encrypted one, one that
 * was mistyped, one without `alg`, as of the session cookies of web frameworks.
 */
const unreadable: Rule = {
  ...rule(
    `ey[A-Za-z0-9_\\-]{17,${headerMax - 2}}\\.ey[A-Za-z0-9_\\-/\\\\]{17}`,
    headerMax + 20,
    (text, start, end) => looksIssued(text, start, end),
  ),
  sure: { kind: 'run', members: `${base64url}=/`, joiners: '.' },
}

export const jsonWebToken: Recognizer = {
  id: 'json-web-token',
  entity: 'JSON_WEB_TOKEN',
  category: 'secret',
  tier: 1,
  family: 'prefix',
  rules: [
    rule(`eyJ[A-Za-z0-9_\\-]{8,${headerMax - 4}}\\.\\.?[A-Za-z0-9_\\-]`, headerMax + 2, hasHeader),
    rule(`eyJ[A-Za-z0-9_\\-]{${headerMax - 3}}`, headerMax, (text, start, end) =>
      joseMember.test(decode(text, start, end)),
    ),
    glued,
    unreadable,
  ],
  examples: {
    match: [
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ',
      'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
      `${Buffer.from(`{"x5c":["${'MIIB'.repeat(300)}"],"alg":"RS256"}`).toString('base64url')}.e30.c2ln`,
    ],
    miss: [
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9. Next',
      'eyJmb28iOiJiYXIiLCJiYXoiOjF9.eyJzdWIiOiIxIn0.abc',
      `data:application/json;base64,${Buffer.from(`{"version":3,"sources":["${'a.ts","'.repeat(60)}"]}`).toString('base64url')}`,
      'xeyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln',
    ],
  },
}
