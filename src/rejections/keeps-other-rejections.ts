import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { Db } from '../db/pool';
import { succeedsRolledBack } from '../db/succeeds-rolled-back';
import { timeOfDay } from '../event/time-of-day';
import { uuidV7 } from '../event/uuid-v7';
import type { NewRejection } from './rejection';
import { insertRejections } from './rejections.queries';

const logger = new Logger('Rejections');

/** True if PostgreSQL keeps a rejection of the tenant `streamforge` that nobody caused. It is rolled back. */
export function keepsOtherRejections(pool: Pool): Promise<boolean> {
  const rejection = madeUpRejection();
  const keep = (db: Db): Promise<void> => insertRejections(db, [rejection], rejection.sizeBytes);
  return succeedsRolledBack(pool, keep, { logger, says: 'no rejection can be kept' });
}

function madeUpRejection(): NewRejection {
  const id = uuidV7();
  const body = Buffer.from('{}');
  return {
    id,
    tenantId: 'streamforge',
    sourceId: null,
    endpoint: 'event',
    format: 'event',
    code: 'invalid-event',
    pointer: null,
    message: 'made up',
    eventType: null,
    recordNumber: null,
    requestKey: null,
    conflictsWith: null,
    correlationId: id,
    receivedAt: timeOfDay().toISOString(),
    contentType: null,
    sizeBytes: body.length,
    requestJson: null,
    body,
  };
}
