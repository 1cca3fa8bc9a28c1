import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { readIncarnation } from '../db/history/incarnation.queries';
import { onOtherServer } from '../db/other-server';
import { onOneConnection } from '../db/pool';
import { withinDeadline } from '../runtime/deadline';

const AGAIN_AFTER_MS = 1_000;

/**
 * The incarnation of the database, which every key in Redis contains, so that databases can share a Redis. It is read
 * again after a pooled connection has opened or closed: from then on the URL may lead to another database, which was
 * restored or created again under the running process (I2).
 */
@Injectable()
export class Incarnation implements OnModuleInit, OnApplicationShutdown {
  private reading: Promise<string> | undefined;
  private last: string | undefined;
  private nextReadMs = 0;
  private readonly stopped = new AbortController();

  constructor(private readonly pool: Pool) {
    onOtherServer(pool, () => (this.reading = undefined));
  }

  /** So that the first requests are counted together with those of other processes. */
  async onModuleInit(): Promise<void> {
    await withinDeadline(AGAIN_AFTER_MS, this.current()).catch(() => undefined); // PostgreSQL may come up later
  }

  onApplicationShutdown(): void {
    this.stopped.abort();
  }

  /** Returns that of the database which the pool leads to now. @throws the error of PostgreSQL */
  async current(): Promise<string> {
    const reading = (this.reading ??= this.read());
    try {
      this.last = await reading;
      return this.last;
    } catch (error) {
      if (this.reading === reading) this.reading = undefined;
      throw error;
    }
  }

  private read(): Promise<string> {
    const reading = onOneConnection(this.pool, (db) => {
      this.reading = reading; // again: the connection may have been opened for it
      return readIncarnation(db);
    });
    return reading;
  }

  /** Returns the last known one at once, and reads it again where necessary. Undefined until it was read once. */
  lastKnown(): string | undefined {
    const nowMs = performance.now();
    if (!this.reading && nowMs >= this.nextReadMs) {
      this.nextReadMs = nowMs + AGAIN_AFTER_MS;
      this.current().catch(() => undefined); // whoever needs PostgreSQL reports that it is away
    }
    return this.last;
  }

  /** Resolves once it was read. Never rejects; the promise stays open if the process ends before. */
  async known(): Promise<string> {
    const { signal } = this.stopped;
    for (;;) {
      try {
        return await this.current();
      } catch {
        if (signal.aborted) return new Promise(() => undefined);
        await sleep(AGAIN_AFTER_MS, undefined, { signal, ref: false }).catch(() => undefined); // ends early at a shutdown
      }
    }
  }
}
