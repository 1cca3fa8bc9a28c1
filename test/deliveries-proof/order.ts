/**
 * How far the arrivals are from an order, as the largest number of places that one of them is away from its own.
 *
 * @param arrived ids in the order of their first arrival
 * @param rankOf what the order is by; ids of one rank may arrive in any order
 */
export function largestDisplacement<Rank extends string | number>(
  arrived: readonly string[],
  rankOf: (id: string) => Rank,
): number {
  const ranks = arrived.map(rankOf);
  const places = new Map<Rank, { first: number; last: number }>();
  for (const [place, rank] of [...ranks].sort((a, b) => (a < b ? -1 : Number(a > b))).entries()) {
    const known = places.get(rank);
    if (known) known.last = place;
    else places.set(rank, { first: place, last: place });
  }
  let largest = 0;
  for (const [place, rank] of ranks.entries()) {
    const { first, last } = places.get(rank) ?? { first: place, last: place };
    largest = Math.max(largest, first - place, place - last);
  }
  return largest;
}
