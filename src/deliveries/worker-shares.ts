import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { Injectable } from '@nestjs/common';
import { beat, joinWorkers, leaveWorkers } from '../delivery-state/delivery-workers.queries';

/** Longer than the others use an older list. */
const JOINING_MS = 3_500;
/** Without a sign of life for this long, a process stops sending. The others take its share later (DEAD_AFTER_SECONDS). */
const MOST_SILENT_MS = 3_000;

/** The place of this process among the live workers. `processes` is 0 while it may send nothing. */
export interface WorkerPlace {
  rank: number;
  processes: number;
}

const NOWHERE: WorkerPlace = { rank: 0, processes: 0 };

/**
 * Keeps the list of live workers, which share the limits of every destination. A process that joins others sends nothing
 * until all of them know it, and one that cannot reach PostgreSQL sends nothing until it can, so that the shares never add
 * up to more than the limit. Requests that were under way when a process joined may still end in addition.
 */
@Injectable()
export class WorkerShares {
  private readonly id = randomUUID();
  private ids: readonly string[] = [];
  private seenMs = -Infinity;
  private sendsFromMs = 0;

  constructor(private readonly pool: Pool) {}

  place(nowMs: number): WorkerPlace {
    if (nowMs - this.seenMs > MOST_SILENT_MS || nowMs < this.sendsFromMs) return NOWHERE;
    return { rank: this.ids.indexOf(this.id), processes: this.ids.length };
  }

  async beat(): Promise<void> {
    const startedMs = performance.now();
    if (this.ids.length === 0) this.joined(await joinWorkers(this.pool, this.id));
    else {
      const { ids, isNew } = await beat(this.pool, this.id);
      if (isNew) this.joined(ids);
      else this.ids = ids;
    }
    this.seenMs = startedMs;
  }

  async leave(): Promise<void> {
    this.seenMs = -Infinity;
    await leaveWorkers(this.pool, this.id);
  }

  private joined(ids: readonly string[]): void {
    this.ids = ids;
    this.sendsFromMs = ids.length === 1 ? 0 : performance.now() + JOINING_MS;
  }
}
