import type { Knowledge } from '../../src/config/sections.ts'
import { globMatches } from '../../src/policy/glob.ts'
import { ruleFault } from '../../src/policy/limit-rule.ts'
import { openProfile } from '../../src/policy/profile.ts'
import { recognizedKind } from '../../src/policy/recognized-kind.ts'
import { customFaults, denyListFaults } from '../../src/redaction/custom.ts'
import type { Category } from '../../src/redaction/recognizer.ts'
import { analyzerUrlFault } from '../../src/upstream/recognizer/analyzer-target.ts'

/** The real checks, over a catalog of a few entities. */
export const simulatedKnowledge = (entities: Readonly<Record<string, Category>>): Knowledge => ({
  kinds: Object.entries(entities).map(([entity, category]) => ({ entity, category, tier: 1 })),
  matches: globMatches,
  openProfile,
  recognizerFaults: customFaults,
  denyListFaults,
  recognizedKind,
  analyzerUrlFault,
  limitFault: ruleFault,
})
