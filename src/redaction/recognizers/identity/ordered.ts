import type { Recognizer } from '../../recognizer.ts'
import { deHealth } from '../health/de.ts'
import { records } from '../health/records.ts'
import { ukNhs } from '../health/uk-nhs.ts'
import { usHealth } from '../health/us.ts'
import { nigeria, southAfricans } from './africa.ts'
import { americas } from './americas.ts'
import { asia } from './asia.ts'
import { au } from './au.ts'
import { de } from './de.ts'
import { dePlaces } from './de-places.ts'
import { es } from './es.ts'
import { india } from './in.ts'
import { it, italianCompanies } from './it.ts'
import { kr } from './kr.ts'
import { nordic, swedishCompanies } from './nordic.ts'
import { pl } from './pl.ts'
import { sg, singaporeEntities } from './sg.ts'
import { tr } from './tr.ts'
import { mrzLines, passports } from './travel-document.ts'
import { uk } from './uk.ts'
import { us } from './us.ts'
import { usItin } from './us-itin.ts'
import { usSsn } from './us-ssn.ts'
import { vin } from './vin.ts'
import { westEurope } from './west-europe.ts'

/**
 * Where two match the same text the first gives the label: what proves itself comes first, then numbers whose words
 * belong to one country, then those whose words (`passport`, `driver`, `plate`) are shared. Of numbers that are a whole
 * text, so have no word, the strict ones come first: what they leave is hardly less for the others.
 */
export const identityRecognizers: readonly Recognizer[] = [
  ...mrzLines,
  ...usSsn,
  ...usItin,
  ...usHealth,
  ...nordic,
  ...ukNhs,
  ...pl,
  ...americas,
  ...westEurope,
  ...india,
  ...southAfricans,
  ...kr,
  ...asia,
  ...swedishCompanies,
  ...sg,
  ...es,
  ...it,
  ...de,
  ...dePlaces,
  ...deHealth,
  ...singaporeEntities,
  ...au,
  ...tr,
  ...italianCompanies,
  ...nigeria,
  ...vin,
  ...uk,
  ...us,
  ...passports,
  ...records,
]
