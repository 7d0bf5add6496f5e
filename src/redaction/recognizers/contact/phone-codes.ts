import { countDigits, leadingDigits } from '../../digits.ts'

/** Country codes of one and two digits, then of three, as ITU-T E.164 assigns them. */
const shortCodes = new Set(
  '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'
    .split(' ')
    .map(Number),
)
const longCodes = new Set(
  (
    '211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 ' +
    '243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 ' +
    '297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 ' +
    '387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 ' +
    '674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870 878 880 ' +
    '881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998'
  )
    .split(' ')
    .map(Number),
)

/**
 * Digits of a whole number, country code included, where a plan is narrower than E.164's 8 to 15. The zero of
 * `+46 (0)8` counts as well.
 */
const lengthsByCode: Readonly<Record<number, readonly [min: number, max: number]>> = {
  1: [11, 11],
  7: [11, 11],
  20: [10, 12],
  27: [11, 12],
  30: [12, 12],
  31: [11, 12],
  32: [10, 12],
  33: [11, 12],
  34: [11, 11],
  36: [10, 12],
  40: [11, 12],
  41: [11, 12],
  44: [11, 13],
  45: [10, 10],
  46: [9, 13],
  47: [10, 10],
  48: [11, 11],
  51: [10, 11],
  52: [12, 13],
  54: [12, 13],
  55: [12, 13],
  56: [11, 11],
  57: [10, 12],
  58: [12, 13],
  60: [10, 13],
  61: [11, 12],
  62: [10, 15],
  63: [11, 13],
  64: [10, 13],
  65: [10, 10],
  66: [10, 12],
  81: [11, 13],
  82: [10, 13],
  84: [11, 13],
  86: [11, 14],
  90: [12, 13],
  91: [12, 13],
}

/** Whether the digits of a slice begin with a country code and are as many as its numbers have. */
export function isInternational(text: string, start: number, end: number): boolean {
  const length = countDigits(text, start, end)
  const code = [1, 2]
    .map((count) => leadingDigits(text, start, end, count))
    .find((code) => shortCodes.has(code))
  if (code === undefined) {
    return length >= 9 && length <= 15 && longCodes.has(leadingDigits(text, start, end, 3))
  }
  const [min, max] = lengthsByCode[code] ?? [8, 15]
  return length >= min && length <= max
}
