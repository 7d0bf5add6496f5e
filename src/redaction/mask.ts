import type { Replacer } from './finding.ts'

/** What stands in the text instead of a value. It holds no character that JSON escapes. */
export const placeholder = (entity: string): string => `[${entity}]`

/** Puts a placeholder in place of every value, whatever the action. */
export const placeholders: Replacer = { replace: ({ entity }) => placeholder(entity) }
