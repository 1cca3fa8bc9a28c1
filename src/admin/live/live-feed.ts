import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import type { EventStatus } from '../../event/event-status';
import { Problem } from '../../event/problems';
import { timeOfDayMs } from '../../event/time-of-day';
import { uuidV7Floor } from '../../event/uuid-v7';
import { Loop } from '../../runtime/loop';
import { passes, type LiveEvent, type LiveFilter } from './live-event';
import { LiveWatcher } from './live-watcher';
import { listNewestIds, readLiveEvents, readStatuses } from './live.queries';
import { SeenIds } from './seen-ids';

/** Clients that one process serves. */
export const MOST_WATCHERS = 20;
const EVERY_MS = 500;
/** Nothing is read while nobody watches. A first watcher ends this wait. */
const IDLE_MS = 3_600_000;
/** An event that is committed this long after its receipt, or by a process whose clock is this far behind, is not seen. */
const LOOK_BACK_MS = 10_000;
/** Ids of one look, and events that are read of these, the newest. */
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
  /** When the newest event was received; 0 as long as none is known. */
  private newestMs = 0;

  constructor(private readonly pool: Pool) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const why = 'This process is shutting down. Connect again.';
    for (const watcher of this.watchers) watcher.end(new Problem('overloaded', why, { retryAfterSeconds: 5 }));
    await this.loop.stop();
  }

  /** @throws Problem `overloaded` when this process has enough watchers */
  watch(filter: LiveFilter, correlationId: string): LiveWatcher {
    if (this.watchers.size >= MOST_WATCHERS) {
      const why = `${MOST_WATCHERS} clients of this process watch events already. Try again later.`;
      throw new Problem('overloaded', why, { retryAfterSeconds: 30 });
    }
    const watcher = new LiveWatcher(filter, correlationId);
    this.watchers.add(watcher);
    watcher.once('close', () => this.watchers.delete(watcher));
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
    const fresh = this.seen.take(ids, floor);
    // A watcher sees what comes from now on; what came before is in the list of events.
    if (!this.isFirstLook && fresh.length > 0) await this.show(fresh);
    this.isFirstLook = false;
    for (const watcher of this.watchers) watcher.ready();
    await this.follow();
    return EVERY_MS;
  }

  private async show(newestFirst: readonly string[]): Promise<void> {
    const ids = newestFirst.slice(0, MOST_EVENTS);
    const events = (await readLiveEvents(this.pool, ids)).map((event): LiveEvent => ({ ...event, status: 'RECEIVED' }));
    const untilMs = performance.now() + FOLLOWED_MS;
    for (const watcher of this.watchers) {
      const its = events.filter((event) => passes(watcher.wanted, event));
      for (const event of its) this.followed.set(event.id, { event, untilMs });
      watcher.add(its, newestFirst.length - ids.length);
    }
    for (const id of this.followed.keys()) {
      if (this.followed.size <= MOST_FOLLOWED) break;
      this.followed.delete(id);
    }
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
    if (changed.length === 0) return;
    for (const watcher of this.watchers) watcher.change(changed.filter((event) => passes(watcher.wanted, event)));
  }
}

/** A UUIDv7 begins with the milliseconds since 1970. */
const receivedMs = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
