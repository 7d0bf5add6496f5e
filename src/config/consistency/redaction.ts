import { error, type Finding, list, quote } from '../problem.ts'
import type { ProfileConfig, RedactionConfig } from '../schema/redaction.ts'

const directions = ['prompt', 'reply'] as const

/** Entities that no recognizer finds: a rule for one of them would protect nothing. */
export function redactionFindings({ profiles }: RedactionConfig, entities: readonly string[]): Finding[] {
  const known = new Set(entities)
  return Object.entries(profiles).flatMap(([name, profile]) =>
    directions.flatMap((direction) =>
      Object.keys(profile[direction].entities ?? {})
        .filter((entity) => !known.has(entity))
        .map((entity) =>
          error(
            'redaction',
            ['profiles', name, direction, 'entities', entity],
            `${quote(entity)} is not an entity that is recognized; entities are: ${list(entities)}`,
          ),
        ),
    ),
  )
}

/** Whether a profile changes or refuses any reply. */
export const screensReplies = ({ reply }: ProfileConfig): boolean =>
  [reply.default, ...Object.values(reply.entities ?? {})].some((action) => action !== 'allow')
