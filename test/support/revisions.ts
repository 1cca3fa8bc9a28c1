import type { Pool } from 'pg';
import type { Event } from '../../src/event/event';
import { setRevision } from '../../src/event-state/revise-events.queries';
import { insertRevision } from '../../src/revisions/revisions.queries';

/** In place of a real hash. */
export const REVISED_HASH = 'ab'.repeat(32);

/** Stores a revision of an event that has a state, and makes it the newest. */
export async function givenRevision(pool: Pool, { id }: Event, revision: number, payloadJson: string): Promise<void> {
  const content = { payloadJson, hash: REVISED_HASH, sizeBytes: Buffer.byteLength(payloadJson) };
  await insertRevision(pool, { eventId: id, revision, ...content, note: null, actor: 'ada' });
  await setRevision(pool, id, revision);
}
