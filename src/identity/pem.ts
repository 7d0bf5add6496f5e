/** One block of a PEM file. */
export interface PemBlock {
  readonly label: string
  readonly der: Buffer
}

const begin = '-----BEGIN '
const dashes = '-----'

/**
 * The blocks of a PEM text in order (RFC 7468, text around them allowed), or `undefined` when a block is broken off
 * or is not base64. Linear in the length of the text.
 */
export function readPem(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = []
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at)) {
    const labelEnd = text.indexOf(dashes, at + begin.length)
    if (labelEnd === -1) return undefined
    const label = text.slice(at + begin.length, labelEnd)
    const closing = `-----END ${label}-----`
    const bodyEnd = text.indexOf(closing, labelEnd)
    const der = bodyEnd === -1 ? undefined : decode(text.slice(labelEnd + dashes.length, bodyEnd))
    if (der === undefined) return undefined
    blocks.push({ label, der })
    at = bodyEnd + closing.length
  }
  return blocks
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

function decode(body: string): Buffer | undefined {
  const text = body.replaceAll(/\s+/g, '')
  return base64.test(text) ? Buffer.from(text, 'base64') : undefined
}
