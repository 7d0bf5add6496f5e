import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { anchorsOf, documents, proseOf, readDocument, root } from '../support/markdown.ts'

interface Link {
  readonly from: string
  readonly target: string
}

const links: readonly Link[] = documents().flatMap((from) =>
  [...proseOf(readDocument(from)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => ({ from, target: target as string }))
    .filter(({ target }) => !/^(https?|mailto):/.test(target)),
)

const fileOf = ({ from, target }: Link): string => {
  const [path = ''] = target.split('#')
  return path === '' ? from : normalize(join(dirname(from), path))
}

t.test('every link between the documents names a file that is there', (t) => {
  t.ok(links.length > 10, `${links.length} links`)
  t.same(
    links.filter((link) => !existsSync(join(root, fileOf(link)))),
    [],
  )
  t.end()
})

t.test('every link to a place in a document names one that is there', (t) => {
  const places = links.filter((link) => link.target.includes('#') && fileOf(link).endsWith('.md'))
  const wrong = places.filter((link) => {
    const [, anchor = ''] = link.target.split('#')
    return existsSync(join(root, fileOf(link))) && !anchorsOf(readDocument(fileOf(link))).has(anchor)
  })
  t.same(wrong, [])
  t.end()
})

t.test('every file that a document names by its path is there', (t) => {
  const path = /(?<![\w/.-])(?:docs|src|plugins|test|loadtest|scripts)\/[\w./-]*\w\.(?:md|ts|mjs|py)\b/g
  const wrong = documents().flatMap((from) =>
    [...readDocument(from).matchAll(path)]
      .map(([file]) => ({ from, file }))
      .filter(({ file }) => !existsSync(join(root, file))),
  )
  t.same(wrong, [])
  t.end()
})

t.test('every script that a document names is in package.json', (t) => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> }
  const wrong = documents().flatMap((from) =>
    [...readDocument(from).matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:-]*\w)|(start|test)\b)/g)]
      .map(([, run, short]) => ({ from, script: (run ?? short) as string }))
      .filter(({ script }) => scripts[script] === undefined),
  )
  t.same(wrong, [])
  t.end()
})
