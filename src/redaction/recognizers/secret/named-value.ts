import type { Guard, Validator } from '../../recognizer.ts'

const names = ['sig', ':_authToken']

/**
 * Values that nothing but the name before them gives away. One guard for all such rules, as each guard costs a machine of
 * its own; what the name is, their validators ask.
 */
export const followsName: Guard = (text, start) => names.some((name) => isNamed(name)(text, start, start))

/** Whether `name=` stands right before a value. */
export const isNamed =
  (name: string): Validator =>
  (text, start) =>
    text.slice(Math.max(0, start - name.length - 1), start) === `${name}=`
