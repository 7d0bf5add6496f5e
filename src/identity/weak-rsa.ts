/** Smallest modulus that is trusted (RFC 7518 section 3.3), and the largest that costs a bounded time to use. */
const modulusBitsMin = 2048
const modulusBitsMax = 8192
const exponentMin = 65_537n
const exponentMax = 2n ** 32n

/**
 * The primes of the ROCA fingerprint (CVE-2017-15361; Nemec et al., CCS 2017, section 4): a modulus made by the
 * broken Infineon library is a power of 65537 modulo each of them; another one is so with a chance below 2^-100.
 */
const rocaPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/** Whether an RSA public key is too small, too large, oddly shaped or made by a generator known to be broken. */
export function isWeakRsa(modulus: Uint8Array, exponent: Uint8Array): boolean {
  if (modulus.length > modulusBitsMax / 8 || exponent.length > 5) return true
  const n = toBigInt(modulus)
  const e = toBigInt(exponent)
  const bits = n.toString(2).length
  if (bits < modulusBitsMin || bits > modulusBitsMax || n % 2n === 0n) return true
  return e < exponentMin || e >= exponentMax || e % 2n === 0n || isRoca(n)
}

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)

const isRoca = (n: bigint): boolean =>
  rocaPrimes.every((prime) => isPowerOf65537(Number(n % BigInt(prime)), prime))

function isPowerOf65537(remainder: number, prime: number): boolean {
  let power = 1
  do {
    if (power === remainder) return true
    power = (power * (65_537 % prime)) % prime
  } while (power !== 1)
  return false
}
