import type { Db } from '../db/pool';
import type { RevisedEvent } from './revised-event';
import { readRevisions, textOfKey } from './revisions.queries';

/**
 * Puts revisions in place of the payloads of rows. The id of a row is null if its event is no longer stored; these rows,
 * and those whose revision was erased or is no longer stored, are `missing`. Costs a statement only if a row has a
 * revision. If the claims themselves named event_revisions, each would lock its partitions.
 */
export async function withRevisions<T extends RevisedEvent>(
  db: Db,
  rows: readonly T[],
): Promise<{ found: T[]; missing: T[] }> {
  if (rows.every(({ id, revision }) => id !== null && revision === null)) return { found: [...rows], missing: [] };
  const keys = rows.flatMap(({ id: eventId, revision }) => (revision === null ? [] : [{ eventId, revision }]));
  const contents = keys.length > 0 ? await readRevisions(db, keys) : undefined;
  const found: T[] = [];
  const missing: T[] = [];
  for (const row of rows) {
    const { id: eventId, revision } = row;
    const content = revision === null ? undefined : contents?.get(textOfKey({ eventId, revision }));
    if (eventId === null || (revision !== null && !content)) missing.push(row);
    else found.push(content ? { ...row, payloadJson: content.payloadJson, hash: content.hash } : row);
  }
  return { found, missing };
}
