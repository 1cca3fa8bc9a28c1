import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';

/**
 * Tells publishers that the outbox has something new, so that an idle one need not wait for its next poll. A lost
 * signal costs milliseconds: polling finds the entry. (Not NOTIFY in the ingest transaction: it serialises commits.)
 */
export abstract class WakeUp {
  /** After a commit. Never throws, never waits. */
  abstract signal(): void;

  /** Calls `listener` for signals of every process. Returns how to stop. */
  abstract listen(listener: () => void): () => void;

  abstract close(): Promise<void>;
}

/** For roles that share the process. */
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

const DEBOUNCE_MS = 2;

/** Over Redis publish/subscribe; at most one message per few milliseconds. */
export class RedisWakeUp extends WakeUp {
  private readonly logger = new Logger('WakeUp');
  private readonly local = new LocalWakeUp();
  private subscriber: Redis | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly redis: Redis,
    private readonly channel: string,
  ) {
    super();
  }

  signal(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.redis.publish(this.channel, '').then(
        () => (this.failing = false),
        (error: Error) => {
          if (!this.failing) this.logger.warn(`publishers will find new entries by polling: ${error.message}`);
          this.failing = true;
        },
      );
    }, DEBOUNCE_MS);
  }

  listen(listener: () => void): () => void {
    if (!this.subscriber) {
      // A subscribed connection can do nothing else. It waits in the queue until Redis is there and then resubscribes.
      this.subscriber = this.redis.duplicate({
        enableOfflineQueue: true,
        maxRetriesPerRequest: null,
        commandTimeout: undefined,
      });
      this.subscriber.on('error', (error: Error) => this.logger.debug(`subscriber: ${error.message}`));
      this.subscriber.on('message', () => this.local.signal());
      this.subscriber.subscribe(this.channel).catch((error: Error) => this.logger.warn(error.message));
    }
    return this.local.listen(listener);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.subscriber?.disconnect();
    this.redis.disconnect();
    await this.local.close();
  }
}
