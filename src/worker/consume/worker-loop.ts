import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { ExternalHandlers } from '../run/external-handlers';
import type { KeyTurns } from '../key-turns';
import type { DeliveryTaker } from '../settle/pass-deliveries';
import type { QueueConsumer } from './queue-consumer';

/** Starts and stops the consumers of the queues. createWorker constructs it. */
export class WorkerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly queues: readonly QueueConsumer[],
    private readonly externals: ExternalHandlers,
    private readonly deliveries: Pick<DeliveryTaker, 'stop'>,
    private readonly turns: Pick<KeyTurns, 'start' | 'stop'>,
  ) {}

  onApplicationBootstrap(): void {
    this.turns.start();
    for (const queue of this.queues) queue.start();
  }

  /** I15: stops consuming, waits for the external handlers, settles what they have finished, then stops delivering. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stopTaking()));
    await this.externals.stop();
    await Promise.all(this.queues.map((queue) => queue.close()));
    await this.deliveries.stop();
    await this.turns.stop();
  }
}
