import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { SealedDestination } from '../../destinations/destination';
import { parseInstant } from '../../event/instant';
import { Problem } from '../../event/problems';
import { uuidV7, uuidV7Floor } from '../../event/uuid-v7';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { countBackfillEvents, insertBackfill } from '../replays/backfill.queries';
import { insertReplay } from '../replays/replay.queries';
import type { BackfillRequest } from './backfill.requests';

/** The count of the matching events stops here. The backfill itself does not. */
const MOST_COUNTED = 1_000_000;

export interface StartedBackfill {
  /** Null in a dry run. */
  replayId: string | null;
  matched: number;
  correlationId: string;
  repeated: boolean;
}

/** Starts backfills, which publishers carry out (replays/backfill-step.ts). */
@Injectable()
export class Backfills {
  constructor(
    private readonly pool: Pool,
    private readonly actions: AdminActions,
  ) {}

  /** @throws Problem `destination-disabled` */
  async start(
    destination: SealedDestination,
    request: BackfillRequest,
    { acting, idempotencyKey: key }: ActionHeaders,
  ): Promise<StartedBackfill> {
    const { id: destinationId, tenantId, eventTypes: types } = destination;
    if (!destination.enabled) throw new Problem('destination-disabled', 'Enable the destination first.');
    const { type = null, limit, ratePerSecond = null, note } = request;
    const range = { tenantId, position: justBefore(request.from), below: untilNow(request.to) };
    const most = Math.min(limit ?? MOST_COUNTED, MOST_COUNTED);
    const counted = await countBackfillEvents(this.pool, range, { types, type, most: most + 1 });
    const matched = Math.min(counted, most);
    const { correlationId, name: requestedBy } = acting;
    if (request.dryRun) return { replayId: null, matched, correlationId, repeated: false };
    const id = uuidV7();
    const filter = askedOf(destinationId, request);
    const done = await this.actions.run({
      id,
      action: 'destination.backfill',
      filter: { ...filter, replayId: id },
      note,
      acting,
      tenantIds: [tenantId],
      idempotency: { key, asked: { filter, note } },
      work: async (db) => {
        const more = counted > most;
        await insertReplay(db, { id, mode: 'backfill', filter, matched, more, requestedBy, correlationId });
        const { position, below } = range;
        const remaining = limit ?? null;
        await insertBackfill(db, { replayId: id, destinationId, type, position, below, remaining, ratePerSecond });
        return { counts: { matched }, result: undefined };
      },
    });
    const { matched: recorded = 0 } = done.counts;
    return { replayId: done.id, matched: recorded, correlationId: done.correlationId, repeated: done.repeated };
  }
}

function askedOf(destinationId: string, { from, to, type, limit, ratePerSecond }: BackfillRequest): object {
  const fields = Object.entries({ from, to, type, limit, ratePerSecond }).filter(([, value]) => value !== undefined);
  return { destinationId, ...Object.fromEntries<unknown>(fields) };
}

const msOf = (instant: string): number => Date.parse((parseInstant(instant) as { utc: string }).utc);

/** No event has this id, so that a range which excludes it begins at `instant`. */
const justBefore = (instant: string): string => uuidV7Floor(msOf(instant));

/** Events that are accepted after the request get their deliveries without a backfill. */
const untilNow = (instant: string): string => uuidV7Floor(Math.min(msOf(instant), Date.now() + 1));
