import assert from 'node:assert/strict'
import { appendFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import fc from 'fast-check'
import t from 'tap'

import { genesis } from '../../src/audit/chain.ts'
import { reportText } from '../../src/audit/report.ts'
import { segmentName } from '../../src/audit/segment.ts'
import { verifyLines, verifyLog } from '../../src/audit/verify.ts'
import { inDirectory, linesOf, sampleEvent, sampleLog, sealed, writeSegments } from './sample.ts'

const log = sampleLog(9)
const lines = linesOf(log)
const headOf = (index: number) => ({ seq: index, hash: log[index - 1]?.record.hash as string })

/** The sample with record `seq` edited and sealed again in its place; the ones after it stay as they were. */
function resealed(seq: number): string[] {
  const after = seq === 1 ? genesis : headOf(seq - 1)
  const [forged] = sealed([sampleEvent(seq, { request_id: 'forged' })], after)
  return lines.with(seq - 1, String(forged?.line.slice(0, -1)))
}

t.test('a sound log is intact, and its head is named', async (t) => {
  const report = await verifyLines(lines)
  t.match(report, {
    intact: true,
    records: 9,
    head: headOf(9),
    error: null,
    warningCount: 0,
    anchored: false,
  })
})

t.test('mutations that the chain alone shows', async (t) => {
  const other = linesOf(sampleLog(9, { model: 'another log' }))
  const at = (seq: number): string => lines[seq - 1] as string
  const forged = sealed([sampleEvent(4, { request_id: 'forged' })], headOf(3))[0]?.line.slice(0, -1) as string
  const mutations: readonly (readonly [name: string, lines: readonly string[], code: string, seq: number])[] =
    [
      ['1 a bit of a value', lines.with(3, at(4).replace('req-4', 'req-5')), 'edited', 4],
      ['1 a bit of the structure', lines.with(3, at(4).replace('{', '{{')), 'unreadable', 4],
      ['2 a field edited, its hash computed again', resealed(4), 'broken_link', 5],
      ['5 a record deleted', lines.toSpliced(3, 1), 'seq_gap', 4],
      ['5 the first record deleted', lines.slice(1), 'seq_gap', 1],
      ['8 two records swapped', lines.with(3, at(5)).with(4, at(4)), 'out_of_order', 4],
      ['9 a record repeated', lines.toSpliced(4, 0, at(4)), 'duplicate_seq', 5],
      ['9 an old record repeated', lines.toSpliced(6, 0, at(2)), 'duplicate_seq', 7],
      ['10 a forged record inserted', lines.toSpliced(3, 0, forged), 'duplicate_seq', 5],
      ['11 records of another log', [...lines.slice(0, 4), ...other.slice(4)], 'broken_link', 5],
      ['12 the same seq twice', lines.with(4, forged), 'duplicate_seq', 5],
      ['13 a seq gap at the end', [...lines.slice(0, 7), at(9)], 'seq_gap', 8],
      ['30 an empty line', [...lines, ''], 'unreadable', 10],
      ['30 garbage', [...lines, 'garbage'], 'unreadable', 10],
      ['32 white space', lines.with(3, at(4).replace(':', ': ')), 'not_canonical', 4],
      [
        '32 another order',
        lines.with(3, JSON.stringify({ v: 1, ...(JSON.parse(at(4)) as object) })),
        'not_canonical',
        4,
      ],
      ['32 an escape', lines.with(3, at(4).replace('req-4', '\\u0072eq-4')), 'not_canonical', 4],
      ['32 a key twice', lines.with(3, at(4).replace('{', '{"event":"x",')), 'not_canonical', 4],
      ['32 a number', lines.with(3, at(4).replace('"input":4', '"input":4.0')), 'not_canonical', 4],
      ['no hash', lines.with(3, '{"v":1}'), 'malformed', 4],
    ]
  for (const [name, mutated, code, seq] of mutations) {
    t.match(await verifyLines(mutated), { intact: false, records: seq - 1, error: { code, seq } }, name)
  }
})

t.test('2, 6: what happened at the end shows only against a head from outside', async (t) => {
  const cut = lines.slice(0, 6)
  const rewritten = resealed(9)
  t.match(await verifyLines(cut), { intact: true, records: 6 }, 'without an anchor a cut end is not seen')
  t.match(await verifyLines(rewritten), { intact: true, records: 9 }, 'nor is a rewritten one')
  const options = { head: headOf(9) }
  t.match(await verifyLines(lines, options), { intact: true, anchored: true })
  t.match(await verifyLines(cut, options), { intact: false, error: { code: 'truncated', seq: 7 } })
  t.match(await verifyLines(rewritten, options), { intact: false, error: { code: 'head_mismatch', seq: 9 } })
  t.match(await verifyLines([], options), { intact: false, error: { code: 'truncated', seq: 1 } })
  t.match(await verifyLines(lines, { head: headOf(4) }), { intact: true, anchored: true, records: 9 })
})

t.test('14: a clock that runs backwards is a warning, each step once', async (t) => {
  const events = [10, 20, 15, 16, 14.5, 30].map((second) => sampleEvent(second))
  const clockLines = linesOf(sealed(events))
  const report = await verifyLines(clockLines)
  t.match(report, { intact: true, records: 6, warnings: [{ code: 'clock_backwards', seq: 3 }] })
  t.equal(report.warningCount, 1)
  t.equal((await verifyLines(clockLines, { clockToleranceMs: 1000 })).warningCount, 2)
})

t.test('warnings are bounded', async (t) => {
  const events = Array.from({ length: 250 }, (_, index) => sampleEvent(index % 2 === 0 ? 100 : 50))
  const report = await verifyLines(linesOf(sealed(events)))
  t.equal(report.warnings.length, 100)
  t.equal(report.warningCount, 125)
  t.match(reportText(report), 'and 25 more')
})

t.test('segments: a sound log over three files', async (t) => {
  await inDirectory(async (directory) => {
    await writeSegments(directory, log, 3)
    await writeFile(join(directory, 'audit.lock'), '{}')
    const bytes = log.reduce((sum, { line }) => sum + line.length, 0)
    t.match(await verifyLog(directory, { head: headOf(9) }), {
      intact: true,
      segments: 3,
      records: 9,
      bytes,
      anchored: true,
    })
  })
})

t.test('segments: what is missing, renamed, cut or appended', async (t) => {
  type Change = (directory: string) => Promise<void>
  const file = (directory: string, seq: number): string => join(directory, segmentName(seq))
  const cutLast = async (path: string, bytes: number): Promise<void> =>
    truncate(path, (await stat(path)).size - bytes)
  const changes: readonly (readonly [name: string, change: Change, expected: object])[] = [
    ['29 a segment in the middle', (d) => rm(file(d, 4)), { error: { code: 'missing_segment', seq: 4 } }],
    ['29 the first segment', (d) => rm(file(d, 1)), { error: { code: 'missing_segment', seq: 1 } }],
    [
      'a segment renamed',
      (d) => rename(file(d, 4), file(d, 5)),
      { error: { code: 'missing_segment', seq: 4 } },
    ],
    [
      'two segments swapped',
      async (d) => {
        await rename(file(d, 4), join(d, 'aside'))
        await rename(file(d, 7), file(d, 4))
        await rename(join(d, 'aside'), file(d, 7))
      },
      { error: { code: 'seq_gap', seq: 4 } },
    ],
    [
      'a segment copied',
      async (d) => writeFile(file(d, 5), await readFile(file(d, 4))),
      { error: { code: 'duplicate_seq', seq: 7 } },
    ],
    [
      'a gap at the end of a segment',
      async (d) => {
        await writeFile(file(d, 1), [log[0]?.line, log[2]?.line].join(''))
      },
      { error: { code: 'seq_gap', seq: 2 } },
    ],
    [
      'a middle segment with a torn end',
      (d) => cutLast(file(d, 4), 10),
      { error: { code: 'trailing_garbage', seq: 6 } },
    ],
    [
      '30 garbage after the last record',
      (d) => appendFile(file(d, 7), 'garbage'),
      { error: { code: 'trailing_garbage', seq: 10 } },
    ],
    [
      '30 a garbage line',
      (d) => appendFile(file(d, 7), 'garbage\n'),
      { error: { code: 'unreadable', seq: 10 } },
    ],
    [
      '30 garbage without end',
      (d) => appendFile(file(d, 7), Buffer.alloc(100_000, '{')),
      { error: { code: 'trailing_garbage', seq: 10 } },
    ],
    [
      '31 a torn final frame',
      (d) => cutLast(file(d, 7), 10),
      { intact: true, records: 8, warnings: [{ code: 'torn_tail', seq: 9 }] },
    ],
    ['31 a torn frame, anchored', (d) => cutLast(file(d, 7), 10), { intact: true }],
    [
      'all segments',
      async (d) => {
        for (const seq of [1, 4, 7]) await rm(file(d, seq))
      },
      { intact: true, records: 0, warnings: [{ code: 'empty_log' }] },
    ],
  ]
  for (const [name, change, expected] of changes) {
    await inDirectory(async (directory) => {
      await writeSegments(directory, log, 3)
      await change(directory)
      t.match(await verifyLog(directory), expected, name)
    })
  }
})

t.test('1: any single byte changed anywhere is detected', async (t) => {
  const small = sampleLog(4)
  const sizes = [0, 1].map((part) =>
    Buffer.byteLength(
      small
        .slice(2 * part, 2 * part + 2)
        .map(({ line }) => line)
        .join(''),
    ),
  )
  await inDirectory(async (directory) => {
    const property = fc.asyncProperty(
      fc.nat({ max: 1 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (part, offset, mask) => {
        await writeSegments(directory, small, 2)
        const path = join(directory, segmentName(1 + 2 * part))
        const bytes = await readFile(path)
        const at = offset % (sizes[part] as number)
        bytes[at] = (bytes[at] as number) ^ mask
        await writeFile(path, bytes)
        assert.equal((await verifyLog(directory)).intact, false, `part ${part}, byte ${at}, mask ${mask}`)
      },
    )
    await t.resolves(fc.assert(property, { numRuns: 150 }))
  })
})

t.test('1: one bit flipped at every offset of the bytes of two records is detected', async (t) => {
  const text = Buffer.from(
    sampleLog(2)
      .map(({ line }) => line)
      .join(''),
  )
  const missed: number[] = []
  await inDirectory(async (directory) => {
    for (let at = 0; at < text.length; at++) {
      const bytes = Buffer.from(text)
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
      await writeFile(join(directory, segmentName(1)), bytes)
      if ((await verifyLog(directory)).intact) missed.push(at)
    }
  })
  t.same(missed, [])
})

t.test('a directory that is not there is an error, not an empty log', async (t) => {
  await inDirectory(async (directory) => {
    await t.rejects(verifyLog(join(directory, 'absent')), { code: 'ENOENT' })
  })
})

t.test('the report for people', async (t) => {
  const sound = await verifyLines(lines, { head: headOf(9) })
  t.match(reportText(sound), 'intact, and contains the given head')
  t.match(reportText(sound), `9:${headOf(9).hash}`)
  t.match(reportText(await verifyLines(lines)), 'a cut end would not show')
  const broken = reportText(await verifyLines(lines.toSpliced(3, 1)))
  t.match(broken, /NOT INTACT[\s\S]*seq 4, line 4, seq_gap\n\s+records 4 to 4 are missing/)
  t.same(JSON.parse(JSON.stringify(sound)), sound)
})

t.test('findings never quote the log', async (t) => {
  const secret = 'sk-secret-in-the-log'
  const text = JSON.stringify(await verifyLines([`{"${secret}":`, secret]))
  t.notMatch(text, secret)
})
