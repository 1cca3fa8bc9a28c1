/**
 * The share of a limit that a process has: the shares of all processes add up to `most`. Which of them get the remainder
 * depends on the destination, so that destinations with a limit of 1 are spread over all processes.
 *
 * @param rank of this process among all, from 0 to `processes` - 1
 */
export function shareOf(
  most: number,
  { rank, processes }: { rank: number; processes: number },
  destinationId: string,
): number {
  if (processes <= 1) return most;
  const turned = (rank + parseInt(destinationId.slice(-8), 16)) % processes;
  return Math.floor((most + turned) / processes);
}

/** The same for a rate, of which a process may have a fraction. */
export const shareOfRate = (most: number, { processes }: { processes: number }): number =>
  most / Math.max(1, processes);
