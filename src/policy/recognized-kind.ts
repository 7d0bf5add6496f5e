import type { Kind } from './profile.ts'

/**
 * What a profile knows of an entity that a recognizer service names. The category is that of the rules that find the
 * same entity, else `name`: what has no form is nearly always one. Tier 2, because the service has read the words around
 * it, and no checksum has proved anything: so a profile that does not guess may still name the entity.
 */
export const recognizedKind = (entity: string, kinds: readonly Kind[]): Kind => ({
  entity,
  category: kinds.find((kind) => kind.entity === entity)?.category ?? 'name',
  tier: 2,
})
