import type { LoadOptions } from '../config/load.ts'
import { globMatches } from '../policy/glob.ts'
import { ruleFault } from '../policy/limit-rule.ts'
import { openProfile } from '../policy/profile.ts'
import { recognizedKind } from '../policy/recognized-kind.ts'
import { recognizers } from '../redaction/catalog.ts'
import { customFaults, denyListFaults } from '../redaction/custom.ts'
import { analyzerUrlFault } from '../upstream/recognizer/analyzer-target.ts'

/** What this build knows of, for the checks of a configuration. */
export const knowledge = (now: number): LoadOptions => ({
  now,
  kinds: recognizers,
  matches: globMatches,
  openProfile,
  recognizerFaults: customFaults,
  denyListFaults,
  recognizedKind,
  analyzerUrlFault,
  limitFault: ruleFault,
})
