import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import type { ReceivedMessage } from '../../broker/broker';
import { HistoryChanged, readHistory } from '../../db/history/history.queries';
import type { Installation } from '../../integrity/installation';
import {
  readCurrentDispatches,
  readDispatchStates,
  type DispatchState,
} from '../../event-state/current-dispatches.queries';
import type { Metrics } from '../../observability/metrics';
import { RareLog } from '../../observability/rare-log';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { eventsOf, messagesOf, workItem, type WorkItem } from '../work-item';
import { readDispatchedEvent } from './read-message';

/**
 * What a message is worth. An `unconfirmed` one is ours, but the database may have forgotten its event since it was
 * published. The event of an `unsigned` one says only which dispatch to look up.
 */
export type ReadMessage =
  | { kind: 'trusted'; event: DispatchedEvent; history: string }
  | { kind: 'unconfirmed' | 'unsigned'; event: DispatchedEvent }
  | { kind: 'forged' }
  | { kind: 'unreadable' };

/** What the database says about messages. */
export interface LookedUp {
  /** Their events are stored, and wait for these dispatches. */
  known: WorkItem[];
  /** Their events are stored, and wait for another dispatch or none. */
  superseded: WorkItem[];
  /** Their events are not stored: the database has gone back in time, or retention has removed them. */
  forgotten: WorkItem[];
}

/**
 * Decides which messages are true. RabbitMQ is not trusted: whoever may write to it must not be able to complete, deliver
 * or bill anything that was not accepted. Only what this installation has signed is used as it is, and only while the
 * database is in the history in which the message was published: after a failover to a standby without the last commits,
 * or a restore, the broker still has messages of events that no longer exist. And the database may have become that of
 * another installation, so a history is used only after it was confirmed; what acts on items checks their history.
 */
export class TrustedEvents {
  private readonly logger = new Logger('Worker');
  private readonly rareLogs = { forged: new RareLog(), unknown: new RareLog(), forgotten: new RareLog() };
  /** The history that the last look-up has found. Whatever acts on an item checks it again. */
  private history: string | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly metrics: Metrics,
    private readonly installation: Installation,
  ) {}

  read(message: ReceivedMessage): ReadMessage {
    if (message.doubt === 'forged') return { kind: 'forged' };
    const event = readDispatchedEvent(message);
    if (!event) return { kind: 'unreadable' };
    if (message.doubt === 'unsigned') return { kind: 'unsigned', event };
    const { history } = this;
    if (history === undefined || history !== message.headers.history) return { kind: 'unconfirmed', event };
    return { kind: 'trusted', event, history };
  }

  /** Call this when the database turned out to be in another history. The messages that follow are then confirmed anew. */
  forgetHistory(): void {
    this.history = undefined;
  }

  /**
   * Looks up the dispatches that messages name: unsigned ones, as those of the build before are, and those that were
   * published in another history, as all in the broker are after a restart of PostgreSQL. Payloads are read only for
   * messages that cannot be used as they are.
   * @throws if PostgreSQL cannot be reached; InstallationMoved; HistoryChanged if the database changes meanwhile
   */
  async lookUp(items: readonly WorkItem[]): Promise<LookedUp> {
    // Read first: if the database goes back after this, whatever acts on the items sees another history.
    const history = await readHistory(this.pool);
    await this.installation.unconfirmed(history);
    this.history = history;
    const [confirmed, others] = partition(
      items,
      ({ message: { doubt, headers } }) => !doubt && headers.history === history,
    );
    const asPublished = confirmed.map(inHistory(history));
    if (others.length === 0) return { known: asPublished, superseded: [], forgotten: [] };
    const states = await readDispatchStates(this.pool, idsOf(others));
    const [open, closed] = partition(others, ({ event }) => waitsFor(states.get(event.id), event));
    const [moved, forgotten] = partition(closed, ({ event }) => states.has(event.id));
    const [usable, doubtful] = partition(open, (item) => isUsable(item, states.get(item.event.id)));
    const { read, missing } = await this.readStored(doubtful);
    const found = [...usable, ...read];
    this.count('looked-up', messagesOf(found));
    return {
      known: [...asPublished, ...found.map(inHistory(history))],
      superseded: [...moved, ...missing],
      forgotten,
    };
  }

  /** Reads events as they are stored. `missing`: the event has moved on meanwhile, or its revision was erased. */
  private async readStored(items: readonly WorkItem[]): Promise<{ read: WorkItem[]; missing: WorkItem[] }> {
    if (items.length === 0) return { read: [], missing: [] };
    const current = await readCurrentDispatches(this.pool, idsOf(items));
    const [read, missing] = partition(items, ({ event }) => isSameDispatch(current.get(event.id), event));
    return { read: read.map((item) => ({ ...item, event: current.get(item.event.id) ?? item.event })), missing };
  }

  /** Logs, once a minute, messages that were parked because their events are not stored. */
  reportForgotten(messages: readonly ReceivedMessage[]): void {
    const messageId = messages[0]?.id.slice(0, MAX_ID_LENGTH);
    this.rareLogs.forgotten.log(
      (count) =>
        this.logger.error({
          msg:
            `moved ${count} messages to events.safety, whose events are not in the database. It has been restored, or a ` +
            'standby without them has taken over: their producers have to send them again',
          messageId,
        }),
      messages.length,
    );
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

/** Returns undefined if the database was in another history than the items, so that nothing was done. */
export async function unlessHistoryChanged<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HistoryChanged) return undefined;
    throw error;
  }
}

/** Of a foreign message id in the log. */
const MAX_ID_LENGTH = 64;

const idsOf = (items: readonly WorkItem[]): string[] => eventsOf(items).map(({ id }) => id);

const inHistory =
  (history: string) =>
  ({ message, event }: WorkItem): WorkItem =>
    workItem(message, event, undefined, history);

type Dispatch = Pick<DispatchedEvent, 'dispatchNo' | 'generation'> & { revision?: number | null | undefined };

const isSameDispatch = (a: Dispatch | undefined, b: DispatchedEvent): boolean =>
  a?.dispatchNo === b.dispatchNo && a.generation === b.generation && (a.revision ?? undefined) === b.revision;

const waitsFor = (state: DispatchState | undefined, event: DispatchedEvent): boolean =>
  state?.waits === true && isSameDispatch(state, event);

/**
 * Whether the message of a dispatch that its event waits for has the event as it is stored. What was sent never changes.
 * A revision may be another one with the same number if the database went back in time before it was made.
 */
const isUsable = ({ message, event }: WorkItem, state: DispatchState | undefined): boolean =>
  !message.doubt && event.revision === undefined && state?.erased === false;

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (belongs(item) ? yes : no).push(item);
  return [yes, no];
}
