import type { Recognizer } from '../../recognizer.ts'
import { after, identity, idRule, standsAfter, worth } from './id-rule.ts'

const passport = identity({
  id: 'us-passport',
  entity: 'US_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{8}|\\d{9}', { score: worth.shape, context: ['passport', 'passports'] }),
    idRule('[A-Z]\\d{8}', { score: worth.shape, context: ['travel'] }),
  ],
  match: after('passport number ', '912803456', 'A12803456', '340020013'),
  miss: ['912803456', 'A12803456', 'passport 91280345', 'passport AB1280345', 'passport 9128034567'],
})

const licenseContext = [
  'driver',
  'drivers',
  'driving',
  'dl',
  'dln',
  'dmv',
  'permit',
  'license',
  'licence',
  'lic',
]
/** Drivers of devices and roads one drives on have letters and digits as well. */
const named = /(?:licen[cs]e|\blic|permit|\bdln?)\b[^\d]{0,32}$/i
const driverNamed = /(?:driv(?:er|ing)|dmv)[^\d]{0,40}$|\bdln?\b[^\d]{0,32}$/i

const isNamed = (text: string, start: number): boolean => standsAfter(text, start, named)
const isDriversNamed = (text: string, start: number): boolean =>
  isNamed(text, start) && standsAfter(text, start, driverNamed)

/** By states (AAMVA): a letter and 3 to 14 digits, two and up to 7, New Hampshire, Illinois, Florida, digits alone. */
const driverLicense = identity({
  id: 'us-driver-license',
  entity: 'US_DRIVER_LICENSE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{7}\\d{0,7}|[A-Z]{2}\\d{6,7}', {
      validate: isNamed,
      score: worth.shape,
      context: licenseContext,
    }),
    idRule(
      '[A-Z]\\d{3,6}|[A-Z]{2}\\d{2,5}|[A-Z]{3}\\d{6,8}|\\d{2}[A-Z]{3}\\d{5}|\\d{7}\\d{0,5}|\\d{3}[ \\-]\\d{3}[ \\-]\\d{3}|' +
        '[A-Z]\\d{2}-\\d{2}-\\d{4}|[A-Z]\\d{3}-\\d{4}-\\d{4}|[A-Z]\\d{3}[\\- ]\\d{3}[\\- ]\\d{2}[\\- ]\\d{3}[\\- ]\\d',
      { validate: isDriversNamed, score: worth.shape, context: licenseContext },
    ),
  ],
  match: [
    ...after(
      "driver's license ",
      'H12234567',
      'D1234567',
      'AC001234',
      '123456789',
      'F255-921-50-094-0',
      'S530-4607-9123',
    ),
    ...after('my license is ', 'A1234567'),
    ...after('DL: ', 'B1234567', '12345678'),
  ],
  miss: [
    ...[
      'H12234567',
      '12345678',
      'license 12345678',
      'driver 123456',
      'driver license h12234567',
      'driver ABC123',
    ],
    ...['driving on the A303', 'the driver of RX580 cards', 'the driver has 20240115 runs'],
  ],
})

export const us: readonly Recognizer[] = [passport, driverLicense]
