/**
 * Whether a glob covers a name. `*` stands for any characters, also none; everything else stands for itself, case and all.
 * At most glob x name steps: on a mismatch only the last star takes one character more, earlier stars never change.
 */
export function globMatches(glob: string, name: string): boolean {
  let atGlob = 0
  let atName = 0
  let star = -1
  let taken = 0
  while (atName < name.length) {
    if (glob[atGlob] === '*') {
      star = atGlob
      taken = atName
      atGlob += 1
    } else if (glob[atGlob] === name[atName]) {
      atGlob += 1
      atName += 1
    } else if (star !== -1) {
      taken += 1
      atName = taken
      atGlob = star + 1
    } else {
      return false
    }
  }
  while (glob[atGlob] === '*') atGlob += 1
  return atGlob === glob.length
}
