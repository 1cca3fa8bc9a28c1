import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import type { EventStatus } from '../../event/event-status';
import { Problem } from '../../event/problems';
import { timeOfDayMs } from '../../event/time-of-day';
import { uuidV7Floor } from '../../event/uuid-v7';
import { Loop } from '../../runtime/loop';
import { passes, seesAll, type LiveEvent, type LiveFilter } from './live-event';
import { LiveWatcher, type LiveRights } from './live-watcher';
import { listNewestIds, readLiveEvents, readStatuses } from './live.queries';
import { SeenIds } from './seen-ids';

/** Clients that one process serves. */
export const MOST_WATCHERS = 20;
const EVERY_MS = 500;
/** Nothing is read while nobody watches. A first watcher ends this wait. */
const IDLE_MS = 3_600_000;
/**
 * How far a look goes back. An event that is committed later than this after its receipt, or by a process whose clock is
 * further behind, is not seen. Where MOST_IDS came within less time, a look goes back to the oldest of these alone.
 */
const LOOK_BACK_MS = 10_000;
/** Ids of one look, the newest, and events that are read of those that were not seen, the newest. */
const MOST_IDS = 5_000;
const MOST_EVENTS = 1_000;
/** Events whose status is followed, how many of them at each look, and for how long after their arrival. */
const MOST_FOLLOWED = 2_000;
const MOST_STATUSES = 500;
const FOLLOWED_MS = 60_000;
const AT_REST: ReadonlySet<EventStatus> = new Set(['COMPLETED', 'DLQ', 'DISCARDED']);

interface Followed {
  event: LiveEvent;
  untilMs: number;
}

/**
 * Shows new events to those who watch. One look at the database serves all watchers of the process, so they see the
 * events of every process, and ingest knows nothing of them.
 */
@Injectable()
export class LiveFeed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('LiveFeed', () => this.runOnce());
  private readonly watchers = new Set<LiveWatcher>();
  private readonly seen = new SeenIds();
  private readonly followed = new Map<string, Followed>();
  private isFirstLook = true;
  private isEnding = false;
  /** When the newest event was received; 0 as long as none is known. */
  private newestMs = 0;

  constructor(private readonly pool: Pool) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isEnding = true;
    for (const watcher of [...this.watchers]) watcher.end(shuttingDown());
    await this.loop.stop();
  }

  /**
   * `rights` are asked at each look, before anything is shown.
   * @throws Problem `overloaded` when this process has enough watchers, or is shutting down
   */
  watch(filter: LiveFilter, correlationId: string, rights?: LiveRights): LiveWatcher {
    if (this.isEnding) throw shuttingDown();
    if (this.watchers.size >= MOST_WATCHERS) {
      const why = `${MOST_WATCHERS} clients of this process watch events already. Try again later.`;
      throw new Problem('overloaded', why, { retryAfterSeconds: 30 });
    }
    const watcher = new LiveWatcher(filter, correlationId, rights);
    this.watchers.add(watcher);
    for (const last of ['over', 'close']) watcher.once(last, () => this.watchers.delete(watcher));
    this.loop.wake();
    return watcher;
  }

  /** Looks once, and returns the wait before the next look, in ms. */
  async runOnce(): Promise<number> {
    if (this.watchers.size === 0) {
      this.seen.clear();
      this.followed.clear();
      this.isFirstLook = true;
      this.newestMs = 0;
      return IDLE_MS;
    }
    // The clock of this process may be ahead of those that make ids.
    const floor = uuidV7Floor(Math.min(timeOfDayMs(), this.newestMs) - LOOK_BACK_MS);
    const ids = await listNewestIds(this.pool, floor, MOST_IDS);
    const [newest] = ids;
    if (newest !== undefined) this.newestMs = receivedMs(newest);
    const fresh = this.seen.fresh(ids);
    // A watcher sees what comes from now on; what came before is in the list of events.
    const shown = this.isFirstLook ? [] : fresh.slice(0, MOST_EVENTS);
    const events = await this.read(shown);
    await Promise.all([...this.watchers].map((watcher) => watcher.renew()));
    // A full list without a seen id may have left some out.
    if (events.length > 0) this.show(events, fresh.length === MOST_IDS ? null : fresh.length - shown.length);
    // Not earlier: if the events cannot be read, the next look shows them.
    this.seen.remember(fresh, floor);
    this.isFirstLook = false;
    for (const watcher of this.watchers) watcher.ready();
    await this.follow();
    return EVERY_MS;
  }

  private async read(ids: readonly string[]): Promise<LiveEvent[]> {
    if (ids.length === 0) return [];
    return (await readLiveEvents(this.pool, ids)).map((event) => ({ ...event, status: 'RECEIVED' }));
  }

  /** `dropped`: how many more there are; null: unknown. */
  private show(events: readonly LiveEvent[], dropped: number | null): void {
    const untilMs = performance.now() + FOLLOWED_MS;
    for (const watcher of this.watchers) {
      const its = events.filter((event) => passes(watcher.wanted, event));
      for (const event of its) this.followed.set(event.id, { event, untilMs });
      // Nobody knows how many of them the watcher would have seen, and how many others there are is not for all to know.
      watcher.add(its, dropped === 0 || seesAll(watcher.wanted) ? dropped : null);
    }
    this.leaveOldest();
  }

  /** Follows no more events than can be asked for in turn, and says of the others that they are not followed. */
  private leaveOldest(): void {
    const left: LiveEvent[] = [];
    for (const [id, { event }] of this.followed) {
      if (this.followed.size <= MOST_FOLLOWED) break;
      this.followed.delete(id);
      left.push({ ...event, status: null });
    }
    this.tell(left);
  }

  /** Reads some statuses at each look. Those that are not at rest go to the end, so that each gets its turn. */
  private async follow(): Promise<void> {
    const ids = [...this.followed.keys()].slice(0, MOST_STATUSES);
    if (ids.length === 0) return;
    const statuses = new Map((await readStatuses(this.pool, ids)).map(({ id, status }) => [id, status]));
    const changed: LiveEvent[] = [];
    for (const id of ids) {
      const one = this.followed.get(id);
      this.followed.delete(id);
      const status = statuses.get(id);
      if (!one || status === undefined) continue;
      if (status !== one.event.status) {
        one.event = { ...one.event, status };
        changed.push(one.event);
      }
      if (!AT_REST.has(status) && performance.now() < one.untilMs) this.followed.set(id, one);
    }
    this.tell(changed);
  }

  private tell(changed: readonly LiveEvent[]): void {
    if (changed.length === 0) return;
    for (const watcher of this.watchers) watcher.change(changed.filter((event) => passes(watcher.wanted, event)));
  }
}

const shuttingDown = (): Problem =>
  new Problem('overloaded', 'This process is shutting down. Connect again.', { retryAfterSeconds: 5 });

/** A UUIDv7 begins with the milliseconds since 1970. */
const receivedMs = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
