const colon = 58

/** What the groups of an address tell about it. */
interface Groups {
  readonly count: number
  /** The address has a `::`. */
  readonly isShortened: boolean
  readonly hasDigit: boolean
  readonly isDotted: boolean
  /** Every group is of two characters. */
  readonly isPaired: boolean
}

const isHex = (unit: number): boolean =>
  (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 102)

/** An address without its zone and its prefix length. */
function bareOf(value: string): string {
  const at = value.search(/[%/]/)
  return at < 0 ? value : value.slice(0, at)
}

const isOctet = (text: string): boolean => /^\d{1,3}$/.test(text) && Number(text) < 256

/** Four numbers up to 255 at the end, read as two groups; undefined where they are none. */
function undotted(bare: string): string | undefined {
  const from = bare.lastIndexOf(':') + 1
  const numbers = bare.slice(from).split('.')
  return numbers.length === 4 && numbers.every(isOctet) ? `${bare.slice(0, from)}0:0` : undefined
}

/** A single colon may not begin or end an address, and `::` stands in it once at most. */
function hasGoodColons(plain: string): boolean {
  const double = plain.indexOf('::')
  if (double >= 0 && plain.indexOf('::', double + 1) >= 0) return false
  const startsSingly = plain.charCodeAt(0) === colon && double !== 0
  const endsSingly = plain.charCodeAt(plain.length - 1) === colon && double !== plain.length - 2
  return !startsSingly && !endsSingly
}

function readGroups(plain: string, isDotted: boolean): Groups | undefined {
  let count = 0
  let size = 0
  let hasDigit = isDotted
  let isPaired = true
  for (let index = 0; index <= plain.length; index++) {
    const unit = index < plain.length ? plain.charCodeAt(index) : colon
    if (unit !== colon) {
      if (!isHex(unit) || ++size > 4) return undefined
      hasDigit ||= unit <= 57
    } else if (size > 0) {
      isPaired &&= size === 2
      count++
      size = 0
    }
  }
  return { count, isShortened: plain.includes('::'), hasDigit, isDotted, isPaired }
}

function parse(value: string): Groups | undefined {
  const bare = bareOf(value)
  const isDotted = bare.includes('.')
  const plain = isDotted ? undotted(bare) : bare
  if (plain === undefined || !hasGoodColons(plain)) return undefined
  const groups = readGroups(plain, isDotted)
  return groups !== undefined && (groups.isShortened ? groups.count <= 7 : groups.count === 8)
    ? groups
    : undefined
}

/** Global unicast, unique local, link local, multicast, and 64:ff9b::/96: what an address begins with (RFC 4291). */
const assigned = /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|ff[0-9a-f]{2}|64):/i
const tellingLengthMin = 11

/** `l[1::2]` and `a::b` are of programs: a short address must begin as one, or have a dotted end. */
function isTelling(groups: Groups, value: string): boolean {
  // Eight pairs are the hardware address of EUI-64.
  if (!groups.isShortened) return !groups.isPaired
  if (groups.isDotted) return true
  if (assigned.test(value)) return groups.hasDigit
  return groups.count > 2 && (groups.hasDigit || value.length >= tellingLengthMin)
}

/** `::`, `::1`, `1::`, `a::b1`: so short that it could as well be a slice of a list or a name of C++. */
const isShort = (groups: Groups): boolean =>
  groups.isShortened && groups.count <= 2 && (groups.hasDigit || groups.count === 0)

/** Whether a text is an IPv6 address of RFC 4291, a zone (RFC 6874) and a prefix length aside. */
export function isIpv6(value: string): boolean {
  const groups = parse(value)
  return groups !== undefined && (isTelling(groups, value) || isShort(groups))
}

/** Whether only a word before it can tell an address from a part of a program. */
export function isSpecialIpv6(value: string): boolean {
  const groups = parse(value)
  return groups !== undefined && !isTelling(groups, value)
}
