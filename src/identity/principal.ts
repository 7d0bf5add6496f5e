/** What the TLS layer knows of the caller. Read from the DER of the leaf, never from a printed name. */
export interface PeerCertificate {
  /** base64url(SHA-256(DER)) of the leaf: the `x5t#S256` of RFC 8705. */
  readonly fingerprint: string
  /** Serial number, lower-case hex without leading zeros. */
  readonly serial: string
  /** URI subject alternative names, byte-exact as in the certificate. */
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  /** The validated SPIFFE id when the listener demands SPIFFE. */
  readonly spiffeId: string | undefined
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
}

/** Who was authenticated, and whom it is billed to. */
export interface Principal {
  /** `<issuer name>/<subject>`: stable, unique over issuers, safe to log. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** OAuth scopes of the token; `undefined` when the issuer's mapping has no scope claim (then roles alone decide). */
  readonly tokenScopes: readonly string[] | undefined
  /** `jti`, when the token has one. */
  readonly tokenId: string | undefined
  /** Token expiry, milliseconds since the epoch. */
  readonly expiresAt: number
  /** `iat`, milliseconds since the epoch, when the token has one. A revocation by date asks for it. */
  readonly issuedAt?: number | undefined
  readonly certificate: PeerCertificate
  /** Whether the token is bound to the certificate (RFC 8705 `cnf.x5t#S256`). */
  readonly bound: boolean
}
