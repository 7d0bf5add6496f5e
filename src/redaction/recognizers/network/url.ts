import type { Recognizer } from '../../recognizer.ts'

const hostPart = 'A-Za-z0-9\\-._~%'

/** Punctuation belongs to an address only where it goes on behind it. */
const tail = { kind: 'run', members: 'A-Za-z0-9\\-_~%/#=&+@$*\\[\\]', joiners: ".,;:!?'()" } as const

/**
 * Any web address (RFC 3986): a guess, since most of them are public. Certain at the host; path and query are swallowed
 * with it. Credentials in addresses are recognized for themselves.
 */
export const url: Recognizer = {
  id: 'url',
  entity: 'URL',
  category: 'network',
  tier: 3,
  // Among the machines that most profiles do not need.
  family: 'name',
  rules: [
    {
      pattern: `(https?|ftps?|wss?)://[A-Za-z0-9\\[][${hostPart}:@]{2}`,
      ignoreCase: true,
      left: { not: 'A-Za-z0-9' },
      lengthMax: 16,
      sure: tail,
    },
    {
      pattern: `www\\.[A-Za-z0-9\\-]{1,63}\\.[A-Za-z]{2}`,
      ignoreCase: true,
      left: { not: 'A-Za-z0-9.@\\-' },
      lengthMax: 70,
      sure: tail,
    },
  ],
  examples: {
    match: [
      'https://www.example.com/',
      'http://example.site',
      'https://hooks.example.com/a8eedfd6-9d8a?q=1&b=2',
      'ftp://files.example.org/a,b',
      'www.example.com/index.html',
    ],
    miss: ['www.example', 'see http:// for the scheme', 'example.com', 'xhttp://example.com', 'node:fs'],
  },
}
