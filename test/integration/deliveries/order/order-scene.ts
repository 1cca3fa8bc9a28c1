import type { Pool } from 'pg';
import { inTransaction } from '../../../../src/db/pool';
import { discardDeliveries } from '../../../../src/delivery-state/discard-deliveries.queries';
import type { DeliveryKey } from '../../../../src/delivery-state/delivery';
import { keepOrder } from '../../../../src/delivery-state/order/keep-order';
import { handOnTurns } from '../../../../src/event-state/order/key-turns.queries';
import { fillDeliveries } from '../../../../src/delivery-state/fill-deliveries.queries';
import {
  hurryDeliveries,
  reopenDeliveries,
  reviseDeliveries,
} from '../../../../src/delivery-state/reopen-deliveries.queries';
import type { Event } from '../../../../src/event/event';
import { uuidV7 } from '../../../../src/event/uuid-v7';
import type { DeliveryEngine } from '../../../support/delivery-engine';
import { useEngines, type Engines } from '../../../support/engines';
import { eventually } from '../../../support/eventually';
import type { GivenReceiver } from '../../../support/queued-deliveries';
import type { Reaction, TestReceiver } from '../../../support/receivers/receiver';
import { givenEvent } from '../../../support/rows';

/** Engines that try twice more, soon. */
export const SOON = { DELIVERY_RETRY_SCHEDULE_SECONDS: '0.05,0.05' };
/** A failure is not tried again. */
export const NEVER_AGAIN = { DELIVERY_RETRY_SCHEDULE_SECONDS: '' };

/** What the tests of ordered destinations share. Call it in a `describe`. */
export class OrderScene {
  readonly engines: Engines = useEngines();

  get pool(): Pool {
    return this.engines.pool;
  }

  /** An event of a key, stored after those before it. `nth` is in its payload. */
  event(partitionKey: string, nth = 0, fields: Record<string, unknown> = {}): Promise<Event> {
    return givenEvent(this.pool, { partitionKey, subject: partitionKey, payload: { nth }, ...fields });
  }

  async eventsOf(partitionKey: string, count: number): Promise<Event[]> {
    const events: Event[] = [];
    for (let nth = 0; nth < count; nth++) events.push(await this.event(partitionKey, nth));
    return events;
  }

  async ordered(
    engine: DeliveryEngine,
    reaction: Reaction,
    options: GivenReceiver = {},
  ): Promise<{ id: string; to: TestReceiver }> {
    const to = await this.engines.receiver(reaction);
    const id = await engine.destination({ url: to.url, ordering: 'key', ...options });
    return { id, to };
  }

  /** The status of each event's newest delivery to one destination. */
  async statuses(id: string, events: readonly Event[]): Promise<(string | undefined)[]> {
    const { rows } = await this.pool.query<{ eventId: string; status: string }>(
      `select event_id as "eventId", status from delivery_status where destination_id = $1 and newest`,
      [id],
    );
    const byId = new Map(rows.map(({ eventId, status }) => [eventId, status]));
    return events.map((event) => byId.get(event.id));
  }

  become(id: string, events: readonly Event[], wanted: (string | undefined)[]): Promise<void> {
    return eventually(async () => expect(await this.statuses(id, events)).toEqual(wanted));
  }

  /** What publishers do each second, as if nobody had looked at the keys for long. */
  async keepOrder(): Promise<void> {
    await this.pool.query(`update ordered_keys set checked_at = '-infinity'`);
    await expect(keepOrder(this.pool, handOnTurns)).resolves.not.toBe('elsewhere');
  }

  retry(keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
    return inTransaction(this.pool, (db) => reopenDeliveries(db, keys));
  }

  hurry(keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
    return inTransaction(this.pool, (db) => hurryDeliveries(db, keys));
  }

  /** One step of a backfill with one event, which has been delivered. */
  async backfill(destinationId: string, event: Event): Promise<void> {
    await this.succeeded(event);
    const order = { replayId: uuidV7(), destinationId, eventIds: [event.id], dueAt: null, ratePerSecond: 1_000 };
    const filled = inTransaction(this.pool, (db) => fillDeliveries(db, { ...order, deliveredToo: true }));
    await expect(filled).resolves.toEqual([{ eventId: event.id, reason: null }]);
  }

  /** Gives an event whose delivery has failed another payload. */
  async edit(event: Event): Promise<void> {
    await this.succeeded(event);
    await this.pool.query(
      `insert into event_revisions (event_id, revision, payload, hash, size_bytes, actor)
       values ($1, 2, '{"edited":true}', '\\x00', 15, 'test')`,
      [event.id],
    );
    await inTransaction(this.pool, async (db) => {
      const { failed } = await reviseDeliveries(db, event.id, 2);
      await expect(reopenDeliveries(db, failed)).resolves.toHaveLength(1);
    });
  }

  private async succeeded(event: Event): Promise<void> {
    await this.pool.query(
      `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                        worker) values ($1, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'test')`,
      [event.id],
    );
  }

  discard(keys: readonly DeliveryKey[]): Promise<DeliveryKey[]> {
    return inTransaction(this.pool, (db) => discardDeliveries(db, keys));
  }
}

export const idsOf = (events: readonly Event[]): string[] => events.map(({ id }) => id);
export const sentTo = (to: TestReceiver): string[] => to.received.map(({ headers }) => String(headers['webhook-id']));
export const keyOf = (event: Event, destinationId: string, generation = 1): DeliveryKey => ({
  eventId: event.id,
  destinationId,
  generation,
});
