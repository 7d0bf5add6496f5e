/** The 124 areas of the Royal Mail. */
const areas = new Set(
  (
    'AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY ' +
    'G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP ' +
    'NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB ' +
    'W WA WC WD WF WN WR WS WV YO ZE'
  ).split(' '),
)

export const postcodePattern = '[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[A-Z]{2}|GIR ?0AA'

/** Inward codes have none of the letters C I K M O V; `GIR 0AA` was a bank's. */
export function isPostcode(text: string, start: number, end: number): boolean {
  const outward = text.slice(start, start + 2).toUpperCase()
  const area = outward.charAt(1) <= '9' ? outward.charAt(0) : outward
  const inward = text.slice(end - 2, end)
  return (areas.has(area) && !/[CIKMOV]/i.test(inward)) || text.charAt(start + 2) > '9'
}
