import { hasCue, wordsBefore } from '../../cue.ts'

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '))

/** Words that say that a telephone number comes, in the languages of most users. */
const cueList =
  'phone phones telephone tel mobile mobil mob cell cellphone cellular fax telefax desk dial hotline helpline whatsapp sms ' +
  'call calling called calls callback ring reach reached reachable answers answering answer text texting message messages voicemail pager ' +
  'landline extension ' +
  'telefon telefono tel\u00e9fono t\u00e9l\u00e9phone telefone telefoon telefonnummer rufnummer handy handynummer anrufen ' +
  'mobiel mobilnummer m\u00f3vil movil celular celulare cellulare portable puhelin puhelinnumero numara cep telepono ' +
  'chiamare llame llamar appeler appelez ligue komórka telefonu \u0442\u0435\u043b\u0435\u0444\u043e\u043d ' +
  '\u0442\u0435\u043b \u043c\u043e\u0431\u0438\u043b\u044c\u043d\u044b\u0439 \u96fb\u8a71 \u643a\u5e2f \u7535\u8bdd \u624b\u673a \uc804\ud654 \ud734\ub300\ud3f0'

/** The words that let a rule look at all; `number` and the letters of a business card are weighed by the validator. */
export const phoneContext: readonly string[] = [
  ...cueList.split(' '),
  'number',
  'ph',
  't',
  'm',
  'p',
  'f',
  'c',
]
const cues = words(cueList)

/** Words that name another number: what stands right after them is not ours, valid or not. */
const others = words(
  'nhs npi ssn sin tfn abn acn medicare medicaid aadhaar uidai pesel nif nie isbn issn ean upc gtin asin card cc visa ' +
    'mastercard amex account acct iban bic swift routing aba order invoice ticket tracking serial passport licence license tax ' +
    'taxpayer ein itin vat imei iccid vin sku product reference ref case claim policy patient mrn dea bsn nino ' +
    'cpf cnpj rrn pan gstin steuer niss nir regon nip krs siren siret uuid guid hash commit version timestamp epoch ' +
    'security insurance identity id doi orcid zip postal postcode pid',
)
/** A preposition that leads to a number of a person: `the manager of the account, at 415 ...`. */
const leads = words('at on call')

/** The line up to `start`; the one before it where that ends in a colon. */
function lineBefore(text: string, start: number): string {
  const before = text.slice(Math.max(0, start - 96), start)
  const line = before.slice(before.lastIndexOf('\n') + 1)
  return line.trim() === '' && /:\s*$/.test(before) ? before : line
}

/** Whether the nearest of the last words of the line names another kind of number. */
export function isNamedOtherwise(text: string, start: number): boolean {
  const line = lineBefore(text, start)
  const [nearest = ''] = wordsBefore(line, line.length, 1)
  return !leads.has(nearest) && hasCue(line, line.length, { cues: others, count: 4, stops: cues })
}

/** `my Israeli number is`, `her new number:`. */
const ownNumber = /\b(?:my|your|his|her|our|their)\s(?:[a-z]+\s){0,2}number(?:\s(?:is|was))?\W{0,3}$/i
/** `T: `, `M. `, as business cards have it. */
const letterCue = /(?:^|[^A-Za-z0-9'\u2019])(?:t|m|p|f|c|ph)[.:]\s?$/i

/** Whether a word close before says that a telephone number comes. */
export function isCalledPhone(text: string, start: number): boolean {
  if (hasCue(text, start, { cues, count: 6, stops: others })) return true
  const before = text.slice(Math.max(0, start - 48), start)
  return letterCue.test(before) || (ownNumber.test(before) && !isNamedOtherwise(text, start))
}
