const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

/** Whether there is such a day in some year; for identifiers that leave the century open. */
export const isDay = (month: number, day: number): boolean => day >= 1 && day <= (daysInMonth[month - 1] ?? 0)

/** Whether there was such a day since 1890 and before 2040; nobody living has another birthday. */
export function isBirthDate(year: number, month: number, day: number): boolean {
  if (year < 1890 || year > 2039 || !isDay(month, day)) return false
  return month !== 2 || day < 29 || (year % 4 === 0 && year !== 1900)
}
