/**
 * The signature algorithms an issuer may use (RFC 7518 section 3.1, RFC 8037). `none` and the HS family are not
 * among them: a gateway that could check an HMAC could also forge it.
 */
export const signatureAlgorithms = [
  'EdDSA',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const

export type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

/** Whether a text names an algorithm that an issuer may use; exact spelling only. */
export const isSignatureAlgorithm = (value: unknown): value is SignatureAlgorithm =>
  signatureAlgorithms.some((algorithm) => algorithm === value)

/** The algorithms of an EC key by its curve in JWK spelling. secp256k1 is not among them on purpose. */
export const curves = {
  'P-256': { algorithm: 'ES256', coordinateBytes: 32 },
  'P-384': { algorithm: 'ES384', coordinateBytes: 48 },
  'P-521': { algorithm: 'ES512', coordinateBytes: 66 },
} as const satisfies Record<string, { algorithm: SignatureAlgorithm; coordinateBytes: number }>

export type CurveName = keyof typeof curves

/** Whether a text names one of the NIST curves above. */
export const isCurveName = (value: unknown): value is CurveName =>
  typeof value === 'string' && Object.hasOwn(curves, value)

/** Every algorithm that an RSA key may be used with. */
export const rsaAlgorithms: readonly SignatureAlgorithm[] = [
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]
