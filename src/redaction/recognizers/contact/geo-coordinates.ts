import type { Recognizer, Rule, Validator } from '../../recognizer.ts'

const latitudeMax = 90
const longitudeMax = 180

/** Whether two decimal numbers are a latitude and a longitude, and not a pair of zeros. */
const isPlace: Validator = (text, start, end) => {
  const [latitude = 0, longitude = 0] = (text.slice(start, end).match(/-?\d+\.\d+/g) ?? []).map(Number)
  return (
    Math.abs(latitude) <= latitudeMax &&
    Math.abs(longitude) <= longitudeMax &&
    (latitude !== 0 || longitude !== 0)
  )
}

/** Degrees, minutes and seconds below their bounds. */
const isArc: Validator = (text, start, end) => {
  const [degrees = 0, minutes = 0, seconds = 0] = (text.slice(start, end).match(/\d+(?:\.\d+)?/g) ?? []).map(
    Number,
  )
  return degrees <= longitudeMax && minutes < 60 && seconds < 60
}

const rule = (pattern: string, validate: Validator): Rule => ({
  pattern,
  left: { not: 'A-Za-z0-9', notPair: { near: '.,', far: '0-9' } },
  right: { not: 'A-Za-z0-9', notPair: { near: '.', far: '0-9' } },
  lengthMax: 64,
  validate,
})

const context = [
  'latitude',
  'longitude',
  'lat',
  'lon',
  'lng',
  'long',
  'gps',
  'coordinates',
  'coords',
  'location',
]
const degrees = '[ ]?\u00b0[ ]?'
const arc = `\\d{1,3}${degrees}\\d{1,2}(\\.\\d{1,4})?[ ]?'[ ]?(\\d{1,2}(\\.\\d{1,4})?[ ]?("|'')[ ]?)?`

export const geoCoordinates: Recognizer = {
  id: 'geo-coordinates',
  entity: 'GEO_COORDINATES',
  category: 'contact',
  // Places are as often of a shop or a mountain as of a person.
  tier: 3,
  family: 'digits',
  rules: [
    // Four decimals are eleven meters: fewer name a town.
    {
      ...rule('-?\\d{1,2}\\.\\d{4,15}[ ]?[,;/ ][ ]?-?\\d{1,3}\\.\\d{4,15}', isPlace),
      score: 0.3,
      context,
    },
    { ...rule('-?\\d{1,3}\\.\\d{4,15}', isPlace), score: 0.3, context: context.slice(0, 5) },
    rule(`${arc}[NS][ ]?,?[ ]?${arc}[EWO]`, isArc),
    rule(`\\d{1,2}\\.\\d{2,8}${degrees}[NS][ ]?,?[ ]?\\d{1,3}\\.\\d{2,8}${degrees}[EWO]`, isArc),
  ],
  examples: {
    match: [
      { before: 'GPS: ', value: '48.858370, 2.294481' },
      { before: '"lat": ', value: '-33.868820' },
      { before: 'coordinates (', value: '40.712776,-74.005974' },
      '48\u00b051\'29"N 2\u00b017\'40"E',
    ],
    miss: [
      '48.858370, 2.294481',
      'GPS: 48.8, 2.29',
      'GPS: 98.858370, 182.294481',
      'pi is 3.14159265',
      'the lesson 48.85, 2.29 ended',
    ],
  },
}
