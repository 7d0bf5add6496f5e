/** Every vector on whose verdict we differ, and why, but for the file of JWE (below). Nothing else may differ. */
export const deviations: Readonly<Record<string, string>> = {
  'signature 346': 'the JWK says alg PS256, the token PS384: a key serves only its own algorithm',
  'signature 347': 'the JWK says alg "ES521", which does not exist',
  'signature 350': 'the JWK says alg PS256, the token PS384: a key serves only its own algorithm',
  'signature 351': 'the JWK says alg "ES521", which does not exist',
  'signature 367': 'labelled invalid but byte for byte the same token as the valid 357',
  'signature 370': 'labelled invalid but byte for byte the same token as the valid 357',
  'signature 372': 'wants a foreign character in base64url skipped; RFC 7515 section 2 forbids it',
  'signature 373': 'wants a foreign character in base64url skipped; RFC 7515 section 2 forbids it',
  'crypto 50': 'a valid JWE: a resource server takes no JWE',
  'crypto 67': 'a valid JWE: a resource server takes no JWE',
}

/** Why every vector of json_web_encryption is refused, also those that are labelled valid. */
export const encryption =
  'valid JWE, and none is read: a resource server takes no JWE, so the whole file is refused'
