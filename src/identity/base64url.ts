const alphabet = /^[A-Za-z0-9_-]*$/

/**
 * Decodes base64url as RFC 7515 section 2 demands: no padding, no white space, no other alphabet, and no second
 * spelling of the same bytes (unused bits are zero). Anything else is `undefined`.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!alphabet.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  // Node skips what it does not understand; only the round trip shows that nothing was skipped.
  return bytes.toString('base64url') === text ? bytes : undefined
}
