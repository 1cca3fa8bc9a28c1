import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { recordSystemAction } from '../../audit/system-actions.queries';
import { inTransaction } from '../../db/pool';
import { Courier } from '../../destinations/courier';
import { DESTINATION_LIMITS, type SealedDestination } from '../../destinations/destination';
import { DestinationRegistry } from '../../destinations/destination-registry';
import { disableDestination } from '../../destinations/destinations.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { ExternalCall, ExternalHandler, HandlerResult } from '../handler';
import { combine, deliveredTo, GONE, refusedBy, type DestinationOutcome } from './destination-results';

const MARGIN_MS = 5_000;
const ANSWERED_GONE = 'answered 410 Gone';

/**
 * Sends events to the HTTP destinations of their tenant, to all at the same time. An event is done when every
 * destination has answered 2xx. A retry skips those that have, and those that were deleted or disabled in the meantime.
 */
@Injectable()
export class DestinationDelivery implements ExternalHandler {
  readonly kind = 'external';
  readonly name = 'destinations';
  readonly eventTypes = ['*'];
  /** Longer than the timeout of any destination. */
  readonly timeoutMs = DESTINATION_LIMITS.timeoutMs.max + MARGIN_MS;
  private readonly logger = new Logger('Destinations');

  constructor(
    private readonly registry: DestinationRegistry,
    private readonly courier: Courier,
    private readonly pool: Pool,
  ) {}

  async select(events: readonly DispatchedEvent[]): Promise<readonly DispatchedEvent[]> {
    const directory = await this.registry.current();
    return directory.destinations.length === 0 ? [] : events.filter((event) => directory.has(event));
  }

  async handle(event: DispatchedEvent, { attemptNumber, signal, done }: ExternalCall): Promise<HandlerResult> {
    const destinations = (await this.registry.current()).of(event).filter(({ id }) => !done.has(deliveredTo(id)));
    // At a first attempt these refusals are older than an operator's retry, and are tried again.
    const refused = attemptNumber > 1 ? destinations.filter(({ id }) => done.has(refusedBy(id))) : [];
    const missing = destinations.filter((destination) => !refused.includes(destination));
    const deliveries = await Promise.all(
      missing.map((destination) => this.deliver(destination, event, attemptNumber, signal)),
    );
    return combine(
      deliveries,
      refused.map(({ id }) => id),
    );
  }

  private async deliver(
    destination: SealedDestination,
    { id, body, correlationId, traceparent }: DispatchedEvent,
    attempt: number,
    signal: AbortSignal,
  ): Promise<DestinationOutcome> {
    const trace = traceparent === undefined ? {} : { traceparent };
    const outcome = await this.courier.deliver(destination, { id, body, attempt, correlationId, ...trace }, signal);
    if (outcome.kind === 'answered' && outcome.status === GONE) await this.disable(destination, correlationId);
    return { destinationId: destination.id, outcome };
  }

  /** Runs before the dead letter commits. After a crash in between, the event completes without this destination. */
  private async disable({ id, tenantId, url }: SealedDestination, correlationId: string): Promise<void> {
    const isDisabled = await inTransaction(this.pool, async (db) => {
      if (!(await disableDestination(db, id, ANSWERED_GONE))) return false;
      const filter = { id, tenantId, url };
      const counts = { matched: 1 };
      await recordSystemAction(db, {
        action: 'destination.disable',
        filter,
        counts,
        note: ANSWERED_GONE,
        tenantId,
        correlationId,
      });
      return true;
    });
    if (!isDisabled) return;
    this.registry.invalidate();
    this.logger.warn({ msg: 'destination answered 410 and is disabled', destinationId: id });
  }
}
