import { type Static, Type } from 'typebox'
import { namedEntries, oneOf, section } from './field.ts'

const actions = ['mask', 'block', 'allow'] as const

const direction = (description: string) =>
  section(description, {
    default: oneOf('What is done with an entity that is not listed.', actions),
    entities: Type.Optional(
      namedEntries('Entity -> what is done with it.', oneOf('What is done with it.', actions), {
        pattern: '^[A-Z][A-Z0-9_]{0,63}$',
        expected: 'the name of an entity, e.g. EMAIL_ADDRESS',
        entriesMax: 256,
      }),
    ),
  })

/** config/redaction.yaml. */
export const redactionSchema = section('What is done with sensitive data.', {
  profiles: namedEntries(
    'Profiles, by name.',
    section('One way to treat sensitive data.', {
      prompt: direction('On the way to the model.'),
      reply: direction('On the way back to the caller.'),
    }),
    { entriesMax: 64 },
  ),
})

export type RedactionConfig = Static<typeof redactionSchema>
export type ProfileConfig = RedactionConfig['profiles'][string]
