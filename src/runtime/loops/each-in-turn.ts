import { failsForAll } from '../../db/pg-errors';

/**
 * Does the work for one item after the other. A failure keeps none of the later ones from its turn; the first one is thrown
 * after the last item, so that whoever repeats the work knows of it.
 * @throws at once if PostgreSQL cannot do its work
 */
export async function eachInTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (failsForAll(error)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
