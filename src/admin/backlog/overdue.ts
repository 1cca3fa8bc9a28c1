/** For how long the first of these is due, in seconds; null if none is due yet. */
export function overdueSeconds(due: readonly { dueInSeconds: number }[]): number | null {
  const first = due.reduce((least, { dueInSeconds }) => Math.min(least, dueInSeconds), Infinity);
  return first > 0 ? null : Math.abs(first);
}
