import type { LoadOptions } from '../config/load.ts'
import { globMatches } from '../policy/glob.ts'
import { entities } from '../redaction/rule-set.ts'

/** What this build knows of, for the checks of a configuration. */
export const knowledge = (now: number): LoadOptions => ({ now, entities, matches: globMatches })
