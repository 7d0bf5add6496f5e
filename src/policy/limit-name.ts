/** Names as they stand in keys of buckets: no separator of a key and no brace of a Redis hash tag. */
export const encode = (value: string): string => encodeURIComponent(value.toWellFormed())
