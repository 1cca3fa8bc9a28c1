import { Inject, Injectable } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { tenantsCovered } from '../../access/acting-operator';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { Db } from '../../db/pool';
import type { AdminAction } from '../audit/admin-action';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { limitOf, recordedFilter, refuseErased, type BulkRequest } from './bulk-request';
import type { NamedCounts } from './event-conditions.queries';

export interface Changed {
  /** Null in a dry run. */
  actionId: string | null;
  matched: number;
  /** Only of a dry run: more than the limit match. */
  more?: boolean;
  changed: number;
  skipped: number;
  /** Events that the filter names by `eventIds` and that are erased; 0 for an action that needs no payloads. */
  erased: number;
  correlationId: string;
  /** The action had been carried out before, for an earlier request with the same idempotency key. */
  repeated: boolean;
}

/** One way to change many events or deliveries. */
export interface BulkVerb<T> {
  action: AdminAction;
  /** The name of the count of what was changed. */
  counted: string;
  /** The status of what the action selects. It is recorded with the filter. */
  status: string;
  /** Finds at most `limit`. */
  find: (db: Db, limit: number) => Promise<readonly T[]>;
  /** For an action that needs payloads: what the filter names by `eventIds`. It is refused if all of it is erased. */
  named?: ((db: Db) => Promise<NamedCounts>) | undefined;
  /** Records what it changes as changed by the action, and returns the number. */
  change: (db: PoolClient, found: readonly T[], actionId: string) => Promise<number>;
}

type BulkOptions = Pick<BulkRequest, 'all' | 'tenantId' | 'limit' | 'dryRun' | 'note'>;

/** Changes what a filter selects. An action is one transaction, so its response tells what was committed. */
@Injectable()
export class BulkActions {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly transactions: AdminTransactions,
    private readonly actions: AdminActions,
  ) {}

  async run<T>(
    request: BulkOptions,
    { acting, idempotencyKey: key }: ActionHeaders,
    { action, counted, status, find, named, change }: BulkVerb<T>,
  ): Promise<Changed> {
    const { correlationId } = acting;
    const limit = limitOf(request, this.settings.REPLAY_MAX_LIMIT);
    if (request.dryRun) {
      const { length } = await this.transactions.read((db) => find(db, limit + 1));
      const { erased = 0 } = named ? await this.transactions.read(named) : {};
      const counts = { matched: Math.min(length, limit), more: length > limit, changed: 0, skipped: 0, erased };
      return { actionId: null, ...counts, correlationId, repeated: false };
    }
    const found = await this.transactions.read((db) => find(db, limit));
    const matched = found.length;
    const { note } = request;
    const filter = { ...recordedFilter(request), status };
    const done = await this.actions.run({
      action,
      filter,
      note,
      acting,
      tenantIds: tenantsCovered(acting, request.tenantId),
      idempotency: { key, asked: { filter, limit, note } },
      work: async (db, id) => {
        const these = await named?.(db);
        if (these) refuseErased(these);
        const changed = await change(db, found, id);
        const counts = { matched, [counted]: changed, skipped: matched - changed };
        return { counts: these ? { ...counts, erased: these.erased } : counts, result: undefined };
      },
    });
    const { counts, id, repeated } = done;
    const { matched: selected = 0, [counted]: changed = 0, skipped = 0, erased = 0 } = counts;
    return { actionId: id, matched: selected, changed, skipped, erased, correlationId: done.correlationId, repeated };
  }
}
