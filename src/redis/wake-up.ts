import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Metrics } from '../observability/metrics';
import { replaceWhenSilent } from './replace-when-silent';

/**
 * Tells publishers that the outbox has new entries, so that an idle one does not wait for its next poll. A lost signal
 * costs milliseconds, because polling finds the entries. (NOTIFY in the ingest transaction would serialise commits.)
 */
export abstract class WakeUp {
  /** Call this after a commit. It never throws and never waits. */
  abstract signal(): void;

  /** Calls `listener` for the signals of every process. Returns a function that stops it. */
  abstract listen(listener: () => void): () => void;

  abstract close(): Promise<void>;
}

/** In-process adapter, for roles that share the process. */
export class LocalWakeUp extends WakeUp {
  private readonly emitter = new EventEmitter();

  signal(): void {
    this.emitter.emit('signal');
  }

  listen(listener: () => void): () => void {
    this.emitter.on('signal', listener);
    return () => this.emitter.off('signal', listener);
  }

  close(): Promise<void> {
    this.emitter.removeAllListeners();
    return Promise.resolve();
  }
}

/** A publisher that is busy needs no signal, and each costs the api as much as storing half an event. */
const PAUSE_MS = 5;

/** Redis adapter, by publish/subscribe. Sends a signal at once, and then at most one every 5 ms. */
export class RedisWakeUp extends WakeUp {
  private readonly logger = new Logger('WakeUp');
  private readonly local = new LocalWakeUp();
  private subscriber: Redis | undefined;
  private pause: NodeJS.Timeout | undefined;
  private wanted = false;
  private failing = false;

  constructor(
    private readonly redis: Redis,
    /** Resolves once it is known. Until then, publishers poll. */
    private readonly channel: () => Promise<string>,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  signal(): void {
    if (this.pause) {
      this.wanted = true;
      return;
    }
    this.pause = setTimeout(() => {
      this.pause = undefined;
      if (this.wanted) this.signal();
    }, PAUSE_MS);
    this.wanted = false;
    this.publish().then(
      () => (this.failing = false),
      (error: Error) => {
        if (!this.failing) this.logger.warn(`no signal; publishers find new entries by polling: ${error.message}`);
        this.failing = true;
      },
    );
  }

  listen(listener: () => void): () => void {
    if (!this.subscriber) {
      // A subscribed connection accepts no other commands. `subscribe` is queued until Redis is up, and ioredis repeats
      // it after every reconnect.
      this.subscriber = this.redis.duplicate({
        enableOfflineQueue: true,
        maxRetriesPerRequest: null,
        commandTimeout: undefined,
      });
      replaceWhenSilent(this.subscriber);
      this.subscriber.on('error', (error: Error) => this.logger.debug(`subscriber: ${error.message}`));
      this.subscriber.on('message', (_channel, text) => this.receive(text));
      this.subscribe(this.subscriber).catch((error: Error) => this.logger.warn(error.message));
    }
    return this.local.listen(listener);
  }

  private async publish(): Promise<void> {
    await this.redis.publish(await this.channel(), '');
  }

  private async subscribe(subscriber: Redis): Promise<void> {
    await subscriber.subscribe(await this.channel());
  }

  /** A signal is an empty message. Any other message was not sent by StreamForge. */
  private receive(text: string): void {
    if (text === '') this.local.signal();
    else this.metrics.foreignValues.inc({ place: 'wake-up' });
  }

  async close(): Promise<void> {
    clearTimeout(this.pause);
    this.subscriber?.disconnect();
    this.redis.disconnect();
    await this.local.close();
  }
}
