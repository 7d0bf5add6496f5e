import fc from 'fast-check'
import t from 'tap'
import {
  readSeries,
  SeriesReader,
  type TextBounds,
  type WantedSeries,
} from '../../../src/upstream/load/prometheus-text.ts'

const wanted: WantedSeries = {
  names: ['vllm:num_requests_running', 'vllm:num_requests_waiting'],
  engineLabels: ['engine', 'model_name'],
}
const running = 'vllm:num_requests_running'
const waiting = 'vllm:num_requests_waiting'

function read(
  body: string | Buffer,
  bounds?: TextBounds,
  chunkBytes = 1_000_000,
): Record<string, readonly number[]> {
  const bytes = Buffer.from(body)
  const reader = new SeriesReader(wanted, bounds)
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (reader.push(bytes.subarray(at, at + chunkBytes)) === 'enough') break
  }
  return Object.fromEntries(reader.end())
}

t.test('as vLLM writes it', (t) => {
  const body = `# HELP ${running} Number of requests in model execution batches.
# TYPE ${running} gauge
${running}{engine="0",model_name="a, \\"b\\" } 9"} 3.0
${running}{engine="1",model_name="a, \\"b\\" } 9"} 4.0
# HELP ${waiting} Number of requests waiting to be processed.
# TYPE ${waiting} gauge
${waiting}{engine="0",model_name="m"} 1.0
# TYPE ${waiting}_by_reason gauge
${waiting}_by_reason{engine="0",model_name="m",reason="capacity"} 700.0
${waiting}_created{engine="0"} 1.7e9
vllm:prompt_tokens_total{engine="0",model_name="m"} 8.0
`
  t.same(read(body), { [running]: [3, 4], [waiting]: [1] })
  t.end()
})

t.test('OpenMetrics, and the older format: timestamps, exemplars, white space, no labels', (t) => {
  t.same(read(`${running} 3 1700000000\n${waiting}{} 2 1.7 # {trace_id="x"} 9\n# EOF\n`), {
    [running]: [3],
    [waiting]: [2],
  })
  t.same(read(`${running}\t5\r\n${waiting} { engine="0", } 6`), { [running]: [5] }, 'no line end at the end')
  t.same(read(`${waiting}{ engine = "0" } 6`), {}, 'not as anybody writes it')
  t.same(read(`${waiting}{ engine="0", model_name="m", }  6 \n`), { [waiting]: [6] })
  t.end()
})

t.test('series of one engine say the same thing again', (t) => {
  const line = (labels: string, value: number): string => `${running}{${labels}} ${value}\n`
  t.same(read(line('engine="0"', 3) + line('engine="0"', 3)), { [running]: [3] }, 'duplicates')
  t.same(
    read(line('engine="0",tp_rank="0"', 4) + line('engine="0",tp_rank="1"', 4) + line('engine="1"', 1)),
    { [running]: [4, 1] },
    'ranks',
  )
  t.same(read(line('model_name="m",engine="0"', 2) + line('engine="0",model_name="m"', 5)), {
    [running]: [5],
  })
  t.end()
})

t.test('values that are no reading', (t) => {
  for (const value of ['NaN', '+Inf', '-3', '', '1e400', 'abc', '0x3', '"3"']) {
    t.same(read(`${running}{engine="0"} ${value}\n${running}{engine="1"} 2\n`), { [running]: [2] }, value)
  }
  t.end()
})

t.test('lines that are none', (t) => {
  for (const line of [
    running,
    `${running} `,
    `${running}{`,
    `${running}{engine="0"`,
    `${running}{engine="0} 3`,
    `${running}{engine="0\\"} 3`,
    `${running}{engine=0} 3`,
    `${running}{engine} 3`,
    `${running}{engine="0"}`,
    ` ${running} 3`,
    `x${running} 3`,
    `${running}x 3`,
    `${running}9 3`,
    `${running}9`,
    `${running}_by_reason 3`,
    `# ${running} 3`,
  ])
    t.same(read(`${line}\n`), {}, line)
  t.end()
})

t.test('bodies that are none', (t) => {
  const noise = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7_919) & 255))
  t.same(read(noise), {}, 'binary')
  t.same(read(''), {}, 'nothing')
  t.same(read('\n'.repeat(100_000)), {}, 'empty lines')
  t.same(read(Buffer.concat([noise, Buffer.from(`\n${running} 2\n`)])), { [running]: [2] })
  t.same(read(`${running}{${'a="\\\\",'.repeat(900)}} 2\n`), { [running]: [2] }, 'many labels, all escapes')
  t.end()
})

t.test('a line without an end is neither held nor read', (t) => {
  const endless = `${running}{engine="${'x'.repeat(100_000)}"} 3\n${waiting} 1\n`
  for (const chunkBytes of [1_000, 1_000_000]) t.same(read(endless, {}, chunkBytes), { [waiting]: [1] })
  t.same(read(`${running} 3`, { lineBytesMax: 10 }), {})
  t.same(read(`${running}{engine="0"} 3`, { lineBytesMax: 40 }), { [running]: [3] })
  t.end()
})

t.test('a chunk may be used again once it was pushed', (t) => {
  const reader = new SeriesReader(wanted)
  const chunk = Buffer.from(`${running} `)
  reader.push(chunk)
  chunk.fill('x')
  reader.push(Buffer.from('3\n'))
  t.same(Object.fromEntries(reader.end()), { [running]: [3] })
  t.end()
})

t.test('what comes after the bound is not read', async (t) => {
  let given = 0
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${running} 3\n${waiting} 1\nother 1\n`)
    for (let at = 0; at < 160; at++) {
      given++
      yield Buffer.alloc(65_536, 'other 1\n')
    }
  }
  const found = await readSeries(body(), wanted)
  t.same(Object.fromEntries(found), { [running]: [3], [waiting]: [1] })
  t.equal(given, 16, '1 MiB of 10')
  t.end()
})

t.test('half of the engines are no reading', (t) => {
  const body = `${running}{engine="0"} 3\n${waiting}{engine="0"} 1\n${waiting}{engine="1"} 2\n`
  const bytes = Buffer.byteLength(body)
  t.same(read(body, { bytesMax: bytes }), { [running]: [3], [waiting]: [1, 2] }, 'it just fits')
  t.same(read(body, { bytesMax: bytes - 4 }), { [running]: [3] })
  t.same(read(`${body}# TYPE other gauge\n${body}`, { bytesMax: bytes + 20 }), {
    [running]: [3],
    [waiting]: [1, 2],
  })
  t.end()
})

t.test('engines beyond the bound are not counted', (t) => {
  const body = Array.from({ length: 1_000 }, (_, index) => `${running}{engine="${index}"} 1\n`).join('')
  t.equal(read(body)[running]?.length, 256)
  t.end()
})

t.test('where the body is cut does not matter, and no body breaks the bounds', (t) => {
  const label = fc.constantFrom('engine="0"', 'engine="1"', 'model_name="m"', 'a="\\""', 'b="}"', 'c=')
  const name = fc.constantFrom(running, waiting, `${waiting}_by_reason`, 'other', `# ${running}`, '')
  const value = fc.constantFrom('1', '2.5', 'NaN', '-1', '', '3 4', 'x')
  const line = fc
    .tuple(name, fc.array(label, { maxLength: 3 }), value)
    .map(([name, labels, value]) => `${name}${labels.length > 0 ? `{${labels.join(',')}}` : ''} ${value}\n`)
  const bounds = fc.record({
    bytesMax: fc.integer({ min: 1, max: 400 }),
    lineBytesMax: fc.integer({ min: 1, max: 80 }),
    enginesMax: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }), bounds, (lines, bounds) => {
      const body = lines.join('')
      const whole = read(body, bounds)
      for (const chunkBytes of [1, 3, 17]) t.same(read(body, bounds, chunkBytes), whole)
      for (const values of Object.values(whole)) {
        t.ok(
          values.length <= bounds.enginesMax && values.every((value) => value >= 0 && Number.isFinite(value)),
        )
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})
