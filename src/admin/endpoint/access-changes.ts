import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MOST_AGE_MS } from '../../db/fresh-copy';
import type { Db } from '../../db/pool';
import { lockAccess } from '../../access/identity/directory.queries';
import type { AdminChange } from '../audit/audit.queries';
import { AdminActions } from './admin-actions';

/**
 * Changes tenants, API keys and operators, and records each change in the audit trail. Processes read a change within
 * MOST_AGE_MS (half a second). A call returns only after that time, so every process applies the change to requests
 * that are sent after the response.
 */
@Injectable()
export class AccessChanges {
  constructor(private readonly actions: AdminActions) {}

  /** Changes are carried out one at a time, so what `work` reads stays true until its transaction ends. */
  async run<T>(change: AdminChange, work: (db: Db) => Promise<T>): Promise<T> {
    const outcome = await this.actions.run({
      ...change,
      work: async (db) => {
        await lockAccess(db);
        return { result: await work(db), counts: { matched: 1 } };
      },
    });
    if (outcome.repeated) throw new Error('a change without an idempotency key was repeated');
    await sleep(MOST_AGE_MS);
    return outcome.result;
  }
}
