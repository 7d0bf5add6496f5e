/**
 * How surprising a letter is behind another, in quarters of a bit and base 36: a row for each letter a to z and one for
 * the beginning of a word, a column for each letter. Counted once over the distinct words of the type declarations of
 * Node.js (DefinitelyTyped, MIT): prose and identifiers. Only counts are kept, nothing of the text.
 */
const quarterBits =
  'whfhrskzjzqciezizdganosxpzcrlucyzzemu8zwduzhgmezzzlzcxmwczzdhzgiwy9uzhqcjyzzsz' +
  'httj6rss9zzkwsgqykgyirzzqzhtfbolpxtxzjkdwlqabhwnujuzfyrrcezx8zzhzrbzzikmgzzzjz' +
  'htqz7vjhczzkofgyxehohuyzuu9zzv7zzlczuunvcxzgrimzzzrzkogjjkjzzzxhi7dlzlgezkzvzm' +
  'eyyy5yryyyoppyeyyr9yeylpyylopl5qxzazzmpjtkzzcqlzrzszetul9rwyazzcyzdszxjkjqzzez' +
  'akzu7yzzbzupkvebzzjvkzzyszfyfeenawhzprwmhvztdaopzztzpniiuopzozphf8lhzbiihmjwxz' +
  'czxtaxzmizuezzcgzajejwzztzzsrzzuzzqzzezsqozpzz2smuzucxmm7rpzdzppkneuzkhgmpuzkz' +
  'hzjz9rzidzrpstihwve9fztzlzeznt8uyg9zznuxhtzegklztzkzjiiognozizzehavhzcddywzuzz' +
  'azwz3tzzbzzxtzhzzzwrvzwzzzaxvrdzuebzvnzeezzcdvzzpszzhtdpcmvqczzzssq9zzy8szztmy' +
  'omluhntxfzzhebh9zndhzzpzuqaszu4uzubzzlzzqzzzjzuztzpsgjdggiomhxskiljfvfdhkpkyzx'

const beginning = 26

/** Index by `row * 26 + column`, in bits. */
const bits = Float32Array.from(quarterBits, (digit) => Number.parseInt(digit, 36) / 4)

/** Bits of a letter (0 to 25) behind another, or at the beginning of a word where `previous` is negative. */
export const letterBits = (previous: number, letter: number): number =>
  bits[(previous < 0 ? beginning : previous) * 26 + letter] as number
