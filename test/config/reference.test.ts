import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configReference } from '../../src/config/reference.ts'

const text = configReference()

t.test('docs/reference/config.md is fresh; write it with scripts/generate-schema.ts', async (t) => {
  t.equal(readFileSync(join(import.meta.dirname, '../../docs/reference/config.md'), 'utf8'), text)
})

t.test('fields of every depth have a row with values and default', async (t) => {
  for (const row of [
    '| `traffic.bounds.json.depthMax` | 4 to 256 | `64` |',
    '| `traffic.tls.key` | file |  |',
    '| `identity.issuers[].keys.url` |',
    '| `pools.<name>.timeouts.connectMs` | 50 to 60000 | `2000` |',
    '| `roles.<name>.parameters.logprobsMax` | 0 to 20 | optional |',
    '| `profiles.<name>.preset` | `standard`, `secrets`, `pii`, `pci`, `phi`, `strict` | `"standard"` |',
    '| `recognizers.<name>.lengthMax` | 2 to 512 | optional |',
  ]) {
    t.ok(text.includes(`\n${row}`), row)
  }
})
