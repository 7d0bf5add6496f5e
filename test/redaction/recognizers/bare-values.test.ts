// A text that is nothing but a number: the answer to a question.
import t from 'tap'
import { rulesOf } from '../rules.ts'

const rules = rulesOf({ direction: 'prompt' })
const screen = (text: string) => rules.screen(text).text

const values: Readonly<Record<string, readonly string[]>> = {
  PL_PESEL: ['44051401359', '02070803628'],
  US_NPI: ['1245319599', '1234-567-893'],
  ES_NIF: ['12345678z', '1111111G', 'A58818501'],
  IN_AADHAAR: ['312345678909', '3998:7654:3211'],
  CA_SIN: ['130692544', '435 418 165'],
  AU_TFN: ['876543210', '876 543 210'],
  AU_ABN: ['51824753556', '51 824 753 556'],
  AU_ACN: ['005 499 981'],
  AU_MEDICARE: ['2123 45670 1'],
  FR_NIR: ['2550814168025 38'],
  BR_CPF: ['11144477735'],
  BR_CNPJ: ['11222333000181'],
  TR_NATIONAL_ID: ['10000000146', '76543210794'],
  TH_TNIN: ['4567890123459'],
  KR_RRN: ['9601211021413', '960121-1234567'],
  KR_FRN: ['9111245678906', '000505-7637892'],
  SE_PERSONNUMMER: ['8112189876', '811218-9876'],
  SE_ORGANISATIONSNUMMER: ['556703-7485'],
  FI_PERSONAL_IDENTITY_CODE: ['240115-1234'],
  DE_TAX_ID: ['86095742719'],
  DE_HEALTH_INSURANCE: ['A123456780', 'c000500021'],
  DE_LANR: ['123456601'],
  DE_VAT_ID: ['de 136695976'],
  IT_VAT_CODE: ['00743110157'],
  IT_FISCAL_CODE: ['rssmra85t10a562s'],
  SG_NRIC_FIN: ['s1234567d', 'f1234567n'],
  SG_UEN: ['201434292D'],
  ZA_ID_NUMBER: ['800101 5009 087'],
  PT_NIF: ['501964843'],
  BE_NN: ['85073003328'],
  NL_BSN: ['111222333'],
  UK_NHS: ['9434765919'],
  UK_NINO: ['AB123456C', 'tw987654a'],
  UK_POSTCODE: ['EC1A 1BB'],
  US_MBI: ['1eg4te5mk73'],
  US_ITIN: ['911701234'],
  MEDICAL_LICENSE: ['AB1234563'],
  IN_PAN: ['abcpd1234z'],
  VIN: ['1hgcm82633a004352'],
  ABA_ROUTING_NUMBER: ['121000358'],
  PHONE_NUMBER: ['2125550187', '0-532-123-45-67', '0612345678'],
  IP_ADDRESS: ['127.0.0.1', '0.0.0.0/0', '255.255.255.0', '::1', '::'],
}

for (const [entity, bare] of Object.entries(values))
  t.test(entity, async (t) => {
    for (const value of bare) {
      t.equal(screen(value), `[${entity}]`, value)
      t.notMatch(screen(`see ${value} there`), `[${entity}]`, `${value} within a text`)
      t.equal(rules.screenJson(JSON.stringify({ total: value })).text, JSON.stringify({ total: value }))
    }
  })

t.test('what proves nothing is left alone', async (t) => {
  for (const text of [
    ...['92070803628', '1245319598', '12345678A', '312345678908', 'A58818502'],
    ...[
      '42',
      '1234567',
      '20240115',
      '2024-01-15',
      '2147483648',
      '4294967296',
      '1073741823',
      '1000000000',
      '8589934592',
      '3.1415926535',
    ],
    ...['characterization', 'responsibilities'],
    ...['C01X00T47', 'AB1234567', 'H12234567', 'AB12 CDE', 'B AB 1234', 'ABC123', '1.0.0.0'],
  ])
    t.equal(screen(text), text)
})

t.test('a stream decides when it ends', async (t) => {
  for (const rest of ['', '0', ' and more'])
    for (const cut of [0, 1, 5, 11]) {
      const text = `44051401359${rest}`
      const window = rules.open('text')
      const out = window.push(text.slice(0, cut)) + window.push(text.slice(cut)) + window.flush()
      t.equal(out, rest === '' ? '[PL_PESEL]' : text)
    }
})

t.test('in a reply a bare number is a result', async (t) => {
  const replies = rulesOf({})
  for (const text of ['44051401359', '123456782', '9434765919']) t.equal(replies.screen(text).text, text)
})
