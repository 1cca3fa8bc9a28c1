/**
 * Returns SQL that counts the rows of the last hour.
 * @param at when a row happened
 * @param hour 2: of the hour before the last one, and so on
 */
export const inHour = (at: string, hour: number): string =>
  `count(*) filter (where ${at} > now() - interval '${hour} hours' and ${at} <= now() - interval '${hour - 1} hours')::int`;
