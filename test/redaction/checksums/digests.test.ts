import t from 'tap'
import { isCashAddress } from '../../../src/redaction/checksums/cash-address.ts'
import { crc16 } from '../../../src/redaction/checksums/crc16.ts'
import { keccak256 } from '../../../src/redaction/checksums/keccak.ts'

t.test('Keccak-256, which is not SHA3-256', async (t) => {
  for (const [text, hex] of [
    ['', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
    ['abc', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ] as const)
    t.equal(Buffer.from(keccak256(Buffer.from(text)) ?? []).toString('hex'), hex)
})

t.test('CRC-16/XMODEM by its check value', async (t) => {
  t.equal(crc16(Buffer.from('123456789')), 0x31c3)
  t.equal(crc16(new Uint8Array()), 0)
})

t.test('the vectors of CashAddr', async (t) => {
  t.equal(isCashAddress('bitcoincash', 'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'), true)
  t.equal(isCashAddress('bitcoincash', 'qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy'), true)
  t.equal(isCashAddress('bitcoincash', 'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6q'), false)
  t.equal(isCashAddress('bchtest', 'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'), false)
  t.equal(isCashAddress('bitcoincash', 'qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6b'), false)
})
