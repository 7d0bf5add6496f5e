// Signals of prompt injection, on prompts that look like attacks and are none, and on attacks.
import t from 'tap'
import { injectionSignals } from '../../src/redaction/injection/injection-signals.ts'
import { type injectionFamilies, parts, readInjections } from './corpus.ts'

type Family = (typeof injectionFamilies)[number]

function shareSignaled(part: (typeof parts)[number], family: Family): number {
  const rows = readInjections(part, family)
  return rows.filter(({ text }) => injectionSignals(text).length > 0).length / rows.length
}

for (const part of parts) {
  t.test(`${part}: at most one in a hundred harmless prompts has a signal`, (t) => {
    const share = shareSignaled(part, 'cyberseceval-mitre-frr')
    t.ok(share <= 0.01, `${share}`)
    t.end()
  })

  t.test(`${part}: about one in five attacks has one`, (t) => {
    const share = shareSignaled(part, 'cyberseceval-prompt-injection')
    t.ok(share >= 0.15, `${share}`)
    t.comment(`${part}: ${(100 * share).toFixed(1)} %`)
    t.end()
  })
}
