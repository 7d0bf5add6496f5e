/** What stands in the text instead of a value. It holds no character that JSON escapes. */
export const placeholder = (entity: string): string => `[${entity}]`
