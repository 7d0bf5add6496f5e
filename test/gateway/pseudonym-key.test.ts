import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readPseudonymKey } from '../../src/gateway/pseudonym-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'pseudonym-key-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const written = (text: string, mode = 0o600): string => {
  const file = join(folder, `${Math.random()}.key`)
  writeFileSync(file, text, { mode })
  return file
}

t.test('a secret of enough characters, which shows itself nowhere', (t) => {
  const key = readPseudonymKey(written(`${'s3cret-'.repeat(6)}\n`))
  t.equal(key.type, 'secret')
  t.equal(key.export().toString(), 's3cret-'.repeat(6))
  t.notMatch(JSON.stringify(key), 's3cret')
  t.end()
})

t.test('what cannot be used is refused without being quoted', (t) => {
  const refusals: [string, RegExp][] = [
    [written('short-secret'), /must have at least 32 characters/],
    [written(''), /is empty/],
    [written(`${'two-lines'.repeat(4)}\n${'two-lines'.repeat(4)}`), /one line of visible ASCII/],
    [written('world-readable-'.repeat(4), 0o604), /every user of the machine can read/],
  ]
  for (const [file, reason] of refusals) {
    const refuse = () => readPseudonymKey(file)
    t.throws(refuse, reason)
    t.throws(refuse, new RegExp(file))
    t.throws(refuse, /^(?!.*(short-secret|two-lines|world-readable)).*$/s)
  }
  t.end()
})
