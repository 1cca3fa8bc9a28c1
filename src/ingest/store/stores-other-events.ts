import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { inTransaction } from '../../db/pool';
import { prepareEvent, type ContentRules, type PreparedEvent } from '../../event/prepare-event';
import { uuidV7 } from '../../event/uuid-v7';
import { storeEvents } from './store-batch.queries';

const RULES: ContentRules = {
  MAX_EVENT_BYTES: 1_024,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_EVENT_ID: true,
  DEDUPE_INCLUDE_OCCURRED_AT: true,
};
const logger = new Logger('Ingest');

/**
 * Tells whose fault it is that a table is missing, a right, or the permission to write: stores an event that nobody sent,
 * in a transaction that is rolled back. If that succeeds, the events at hand are at fault. Returns false if PostgreSQL
 * refuses it too, or cannot be reached. Never rejects. The worker's own-statements.ts does the same for its statements.
 */
export async function storesOtherEvents(pool: Pool): Promise<boolean> {
  try {
    await inTransaction(
      pool,
      (db) => storeEvents(db, [madeUpEvent()]),
      () => false,
    );
    return true;
  } catch (error) {
    logger.debug(`no event can be stored: ${String(error)}`);
    return false;
  }
}

/** Its key is its own, so that it waits for nobody. */
function madeUpEvent(): PreparedEvent {
  const id = uuidV7();
  const body = Buffer.from(JSON.stringify({ eventType: 'streamforge.made-up', subject: id, payload: {} }));
  const context = { tenantId: 'streamforge', correlationId: id, traceparent: undefined, idempotencyKey: id };
  const made = prepareEvent(body, context, RULES);
  if ('rejection' in made) throw new Error(`the made-up event is rejected: ${made.rejection.message}`);
  return made.prepared;
}
