import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { succeedsRolledBack } from '../../db/succeeds-rolled-back';
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

/** True if PostgreSQL stores an event that nobody sent, of the tenant `streamforge`. It is rolled back. */
export function storesOtherEvents(pool: Pool): Promise<boolean> {
  return succeedsRolledBack(pool, (db) => storeEvents(db, [madeUpEvent()]), { logger, says: 'no event can be stored' });
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
