import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { areSame, at, onValues } from '../../checksums/values.ts'
import { mod11Digit } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, grouped, identity, idRule, worth } from './id-rule.ts'

const threes = ['\\d{3}', '\\d{3}', '\\d{3}'] as const

const isSin = onValues(
  (values) => at(values, 0) !== 0 && at(values, 0) !== 8 && passesLuhnModN(values, 0, 9, 10),
)

const sin = identity({
  id: 'ca-sin',
  entity: 'CA_SIN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(threes, '', ' ', '-'), {
      validate: isSin,
      score: worth.checkDigit,
      context: ['sin', 'sins', 'nas', 'insurance', 'canada', 'canadian', 'assurance', 'cra'],
    }),
    bareRule(grouped(threes, '', ' ', '-'), { validate: isSin }),
  ],
  match: after('SIN: ', '130 692 544', '130-692-544', '130692544', '948 584 792'),
  miss: [
    'no. 130 692 544',
    '130 692 545',
    'SIN 130 692 545',
    'SIN 812 345 678',
    'SIN 046 454 286',
    'SIN 130 692-544',
    'SIN 1306925440',
  ],
})

/** Receita Federal: two check digits modulo 11; the weights rise from 2 on the right and begin anew after `highest`. */
function passesTwice(values: ArrayLike<number>, count: number, highest: number): boolean {
  for (const length of [count - 2, count - 1]) {
    let sum = 0
    for (let place = 0; place < length; place++)
      sum += brazilianValue(at(values, length - 1 - place)) * (2 + (place % (highest - 1)))
    if (mod11Digit(sum) !== at(values, length)) return false
  }
  return !areSame(values, 0, count)
}

/** Since July 2026 a CNPJ may hold letters; they count as their ASCII code less that of 0. */
const brazilianValue = (value: number): number => (value > 9 ? value + 7 : value)

const isCpf = onValues((values) => passesTwice(values, 11, 11))
const isCnpj = onValues((values) => passesTwice(values, 14, 9))

const cpf = identity({
  id: 'br-cpf',
  entity: 'BR_CPF',
  tier: 1,
  family: 'digits',
  rules: [
    idRule('\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}', { validate: isCpf }),
    idRule('\\d{11}|\\d{9}-\\d{2}|\\d{3} \\d{3} \\d{3} \\d{2}', {
      validate: isCpf,
      score: worth.checkDigit,
      context: ['cpf', 'cpfs', 'contribuinte', 'física', 'fisica'],
    }),
    bareRule('\\d{11}|\\d{9}-\\d{2}', { validate: isCpf }),
  ],
  match: ['111.444.777-35', '529.982.247-25', ...after('CPF ', '11144477735', '111444777-35')],
  miss: ['111.444.777-36', '111.111.111-11', 'no. 11144477735', '111.444.777.35', '111.444.777-351'],
})

const cnpj = identity({
  id: 'br-cnpj',
  entity: 'BR_CNPJ',
  tier: 1,
  family: 'shape',
  rules: [
    idRule('[0-9A-Z]{2}\\.[0-9A-Z]{3}\\.[0-9A-Z]{3}/[0-9A-Z]{4}-\\d{2}', { validate: isCnpj }),
    idRule('\\d{7}\\d{7}|\\d{6}\\d{6}-\\d{2}', {
      validate: isCnpj,
      score: worth.checkDigit,
      context: ['cnpj', 'cnpjs', 'empresa', 'jurídica', 'juridica'],
    }),
    bareRule('\\d{7}\\d{7}', { validate: isCnpj }),
  ],
  match: ['11.222.333/0001-81', '12.ABC.345/01DE-35', ...after('CNPJ ', '11222333000181')],
  miss: [
    '11.222.333/0001-82',
    'no. 11222333000181',
    '11222333000182',
    '11.222.333-0001/81',
    '00.000.000/0000-00',
    '11.222.333/0001-811',
  ],
})

export const americas: readonly Recognizer[] = [sin, cpf, cnpj]
