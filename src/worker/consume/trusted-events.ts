import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { ReceivedMessage } from '../../broker/broker';
import { readCurrentDispatches } from '../../event-state/current-dispatches.queries';
import type { Metrics } from '../../observability/metrics';
import { RareLog } from '../../observability/rare-log';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { eventsOf, workItem, type WorkItem } from '../work-item';
import { readDispatchedEvent } from './read-message';

/** What a message is worth. The event of an `unsigned` one says only which dispatch to look up. */
export type ReadMessage =
  { kind: 'trusted' | 'unsigned'; event: DispatchedEvent } | { kind: 'forged' } | { kind: 'unreadable' };

/**
 * Decides which messages are true. RabbitMQ is not trusted: whoever may write to it must not be able to complete, deliver
 * or bill anything that was not accepted. Only what this installation has signed is used as it is.
 */
export class TrustedEvents {
  private readonly logger = new Logger('Worker');
  private readonly rareLogs = { forged: new RareLog(), unknown: new RareLog() };

  constructor(
    private readonly pool: Pool,
    private readonly metrics: Metrics,
  ) {}

  read(message: ReceivedMessage): ReadMessage {
    if (message.doubt === 'forged') return { kind: 'forged' };
    const event = readDispatchedEvent(message);
    if (!event) return { kind: 'unreadable' };
    return { kind: message.doubt === 'unsigned' ? 'unsigned' : 'trusted', event };
  }

  /**
   * Looks up the dispatches that unsigned messages name, as those of the build before are. Returns the items with the
   * events as they are stored, and leaves out those that name another dispatch than the one that is waited for.
   * @throws if PostgreSQL cannot be reached
   */
  async lookUp(items: readonly WorkItem[]): Promise<WorkItem[]> {
    const stored = await readCurrentDispatches(
      this.pool,
      eventsOf(items).map(({ id }) => id),
    );
    return items.flatMap(({ message, event }) => {
      const current = stored.get(event.id);
      return current && isSameDispatch(current, event) ? [workItem(message, current)] : [];
    });
  }

  /** Counts messages that are used after a look-up, or dropped. The latter are logged once a minute. */
  count(result: 'forged' | 'looked-up' | 'unknown', messages: readonly ReceivedMessage[]): void {
    if (messages.length === 0) return;
    this.metrics.distrustedMessages.inc({ result }, messages.length);
    if (result === 'looked-up') return;
    const messageId = messages[0]?.id.slice(0, MAX_ID_LENGTH);
    this.rareLogs[result].log(
      (count) =>
        this.logger.error({
          msg: `dropped ${count} messages that this installation did not write, that were changed, or that name no open dispatch`,
          result,
          messageId,
        }),
      messages.length,
    );
  }
}

/** Of a foreign message id in the log. */
const MAX_ID_LENGTH = 64;

const isSameDispatch = (a: DispatchedEvent, b: DispatchedEvent): boolean =>
  a.dispatchNo === b.dispatchNo && a.generation === b.generation && a.revision === b.revision;
