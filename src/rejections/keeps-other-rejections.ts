import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { inTransaction } from '../db/pool';
import { timeOfDay } from '../event/time-of-day';
import { uuidV7 } from '../event/uuid-v7';
import type { NewRejection } from './rejection';
import { insertRejections } from './rejections.queries';

const logger = new Logger('Rejections');

/**
 * Tells whose fault it is that a table is missing, a right, or the permission to write: keeps a rejection of nobody, in a
 * transaction that is rolled back. If that succeeds, the rejections at hand are at fault. Never rejects.
 */
export async function keepsOtherRejections(pool: Pool): Promise<boolean> {
  const rejection = madeUpRejection();
  try {
    await inTransaction(
      pool,
      (db) => insertRejections(db, [rejection], rejection.sizeBytes),
      () => false,
    );
    return true;
  } catch (error) {
    logger.debug(`no rejection can be kept: ${String(error)}`);
    return false;
  }
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
