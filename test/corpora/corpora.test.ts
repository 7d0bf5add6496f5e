import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  type CorpusPart,
  corpusPath,
  families,
  injectionFamilies,
  parts,
  readCorpus,
  readInjections,
} from './corpus.ts'

const BYTES_MAX = 6 * 1024 * 1024

/** README.md: which part a row belongs to follows from its id alone. */
const partOf = (id: string): CorpusPart =>
  (createHash('sha1').update(id).digest()[0] as number) < 170 ? 'dev' : 'held-out'

interface Family {
  readonly name: string
  readonly rows: Readonly<Record<CorpusPart, readonly { readonly id: string; readonly text: string }[]>>
}

const all: readonly Family[] = [
  ...families.map((name) => ({
    name,
    rows: { dev: readCorpus('dev', name), 'held-out': readCorpus('held-out', name) },
  })),
  ...injectionFamilies.map((name) => ({
    name: `injection/${name}`,
    rows: { dev: readInjections('dev', name), 'held-out': readInjections('held-out', name) },
  })),
]

t.test('every family is there in both parts', (t) => {
  t.ok(all.length >= 19, `${all.length} families`)
  const missing = all.flatMap(({ name }) => parts.filter((part) => !existsSync(corpusPath(part, name))))
  t.same(missing, [])
  t.end()
})

t.test('every row is in the part that its id says', (t) => {
  const wrong = all.flatMap(({ name, rows }) =>
    parts.flatMap((part) =>
      rows[part].filter(({ id }) => partOf(id) !== part).map(({ id }) => `${name}: ${id}`),
    ),
  )
  t.same(wrong, [])
  t.end()
})

t.test('about a third of each family is held out', (t) => {
  const shares = all.map(({ name, rows }) => {
    const heldOut = rows['held-out'].length
    return { name, share: heldOut / (rows.dev.length + heldOut) }
  })
  t.same(
    shares.filter(({ share }) => share < 0.25 || share > 0.42),
    [],
  )
  t.end()
})

t.test('no id stands twice, and no text stands in both parts of a family', (t) => {
  const ids = all.flatMap(({ rows }) => parts.flatMap((part) => rows[part].map(({ id }) => id)))
  t.equal(new Set(ids).size, ids.length)
  const shared = all.flatMap(({ name, rows }) => {
    const texts = new Set(rows.dev.map(({ text }) => text))
    return rows['held-out'].filter(({ text }) => texts.has(text)).map(({ id }) => `${name}: ${id}`)
  })
  t.same(shared, [])
  t.end()
})

t.test('every span holds its value', (t) => {
  // The reader refuses a span whose value is not the text between its ends; here, that values are written down at all.
  const spans = families.flatMap((name) =>
    parts.flatMap((part) =>
      readCorpus(part, name).flatMap(({ text, spans }) => spans.map((span) => ({ text, span }))),
    ),
  )
  t.ok(spans.length > 12_000, `${spans.length} spans`)
  t.same(
    spans.filter(({ text, span }) => text.slice(span.start, span.end).trim() === ''),
    [],
  )
  t.end()
})

t.test('attacks and harmless texts are told apart', (t) => {
  const labels = injectionFamilies.map((name) => [
    name,
    [...new Set(parts.flatMap((part) => readInjections(part, name).map(({ label }) => label)))],
  ])
  t.same(Object.fromEntries(labels), { 'cyberseceval-mitre-frr': [0], 'cyberseceval-prompt-injection': [1] })
  t.end()
})

t.test('the corpora stay small, and each is named in the README with its license', (t) => {
  const bytes = all.reduce(
    (sum, { name }) => sum + parts.reduce((both, part) => both + statSync(corpusPath(part, name)).size, 0),
    0,
  )
  t.ok(bytes < BYTES_MAX, `${bytes} bytes`)
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  const licenses = readFileSync(join(import.meta.dirname, 'LICENSES.md'), 'utf8')
  const rows = new Map(
    [...readme.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, name, license]) => [name, license]),
  )
  t.same([...rows.keys()].sort(), all.map(({ name }) => name).sort())
  const undocumented = [...new Set(rows.values())].filter(
    (license) => license !== 'ours' && !licenses.includes(`## ${license}`),
  )
  t.same(undocumented, [])
  t.end()
})
