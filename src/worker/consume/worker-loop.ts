import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Broker, QUEUES } from '../../broker/broker';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { PoisonDetector } from '../crashes/poison-detector';
import { BatchSettler } from '../settle/batch-settler';
import { MessageRouter } from './message-router';
import { ExternalWorks } from '../run/external-works';
import { QueueConsumer, type Stations } from './queue-consumer';

/** Retries have their own queue and a small prefetch, so that a storm of them cannot crowd out fresh events. */
const RETRY_PREFETCH = 50;

/** Where the deliveries of both queues pass through. */
@Injectable()
export class WorkerStations implements Stations {
  constructor(
    readonly router: MessageRouter,
    readonly executor: BatchSettler,
    readonly externals: ExternalWorks,
    readonly trials: PoisonDetector,
  ) {}
}

/** Consumes both queues, each on its own. */
@Injectable()
export class WorkerLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private queues: QueueConsumer[] = [];

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly broker: Broker,
    private readonly stations: WorkerStations,
  ) {}

  onApplicationBootstrap(): void {
    const { RABBITMQ_PREFETCH: prefetch, WORKER_BATCH_SIZE: batchSize } = this.settings;
    const retries = { prefetch: RETRY_PREFETCH, batchSize: RETRY_PREFETCH };
    this.queues = [
      new QueueConsumer(this.broker, QUEUES.main, { prefetch, batchSize }, this.stations),
      new QueueConsumer(this.broker, QUEUES.retry, retries, this.stations),
    ];
  }

  /** I15: no more deliveries, then the end of what is under way, then its settlement. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stopTaking()));
    await this.stations.externals.stop();
    await Promise.all(this.queues.map((queue) => queue.close()));
  }
}
