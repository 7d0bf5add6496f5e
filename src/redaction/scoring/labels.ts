/** Labels of corpora and tools that mean the same as another one. */
const sameAs: Readonly<Record<string, string>> = {
  STREET_ADDRESS: 'ADDRESS',
  GPE: 'LOCATION',
  ORG: 'ORGANIZATION',
  PH_MOBILE_NUMBER: 'PHONE_NUMBER',
  TR_PHONE_NUMBER: 'PHONE_NUMBER',
}

/**
 * The label under which a value is counted: all `SECRET:<rule>` are one, because to whom a secret belongs does not
 * matter to the one who masks it.
 */
export function labelGroup(label: string): string {
  if (label === 'SECRET' || label.startsWith('SECRET:')) return 'SECRET'
  return sameAs[label] ?? label
}
