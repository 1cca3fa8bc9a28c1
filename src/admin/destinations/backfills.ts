import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { SealedDestination } from '../../destinations/destination';
import { findDestination } from '../../destinations/destinations.queries';
import { parseInstant } from '../../event/instant';
import { Problem } from '../../event/problems';
import { uuidV7, uuidV7Floor } from '../../event/uuid-v7';
import { CLOCK_TOLERANCE_MS, timeOfDayMs } from '../../event/time-of-day';
import type { ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { countBackfillEvents, insertBackfill } from '../replays/backfill.queries';
import { insertReplay } from '../replays/replay.queries';
import type { BackfillRequest } from './backfill.requests';

/** The count reads at most this many events. The backfill itself has no maximum. */
const MOST_READ = 1_000_000;

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
    const { type = null, limit, ratePerSecond = null, note } = request;
    const range = { tenantId, position: justBefore(request.from), below: untilNow(request.to) };
    const wanted = { types, type, most: Math.min(limit ?? MOST_READ, MOST_READ), mostRead: MOST_READ };
    const { matched, more } = await countBackfillEvents(this.pool, range, wanted);
    const { correlationId, name: requestedBy } = acting;
    if (request.dryRun) refuseDisabled(destination);
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
        refuseDisabled(await findDestination(db, destinationId));
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

function refuseDisabled(destination: SealedDestination | undefined): void {
  if (!destination) throw new Problem('destination-not-found', 'No destination has this id.');
  if (!destination.enabled) throw new Problem('destination-disabled', 'Enable the destination first.');
}

function askedOf(destinationId: string, { from, to, type, limit, ratePerSecond }: BackfillRequest): object {
  const fields = Object.entries({ from, to, type, limit, ratePerSecond }).filter(([, value]) => value !== undefined);
  return { destinationId, ...Object.fromEntries<unknown>(fields) };
}

const msOf = (instant: string): number => Date.parse((parseInstant(instant) as { utc: string }).utc);

/** No event has this id, so that a range which excludes it begins at `instant`. */
const justBefore = (instant: string): string => uuidV7Floor(msOf(instant));

/** Events that are accepted after the request get their deliveries without a backfill, and only once. */
const untilNow = (instant: string): string => uuidV7Floor(Math.min(msOf(instant), timeOfDayMs() + CLOCK_TOLERANCE_MS));
